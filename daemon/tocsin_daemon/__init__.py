"""`tocsind`: starts services, watches them without pause, and tells Pacemaker of a failure when it happens."""
