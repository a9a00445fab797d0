"""
The system's D-Bus, spoken in the reactor: no thread, no blocking call, no polling.

`message` says what bytes mean (jeepney, without I/O), `connection` carries them, `bus` keeps one connection for the
whole daemon, `systemd` is what we ask of systemd, and `following` keeps the state of one unit up to date by signals.
"""
