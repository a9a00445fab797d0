"""A package, so that one cluster serves all scenarios, and goes with the last of them."""
