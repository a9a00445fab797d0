"""Pure decisions: values in, values out. No Twisted, no clock, no I/O."""
