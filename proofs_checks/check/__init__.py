"""Conformance: what somebody else's optimizer computes, and which statements it obeys."""
