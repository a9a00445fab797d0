"""The conformance run for OCF resource agents in any language: what they do, against what the standard says."""
