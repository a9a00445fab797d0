"""Tocsin's vocabulary, and Pacemaker's command line as typed Python: standard library only, no Twisted."""

__version__ = "0.1.0"
