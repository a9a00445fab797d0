"""The commands of `tocsin`, by what they are for; `tocsin_daemon.cli` puts them together."""
