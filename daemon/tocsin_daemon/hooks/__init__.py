"""Hooks: commands that are run, and URLs that are posted to, when something happens to a service."""
