"""A package, so that one cluster of three nodes serves all accidents to nodes and to their services."""
