"""What the agent does for each action; one module each, so that a monitor compiles nothing but its own."""
