"""Metrics for Prometheus: what is told (`samples`), counted (`exposition`) and served (`endpoint`, at an `address`)."""
