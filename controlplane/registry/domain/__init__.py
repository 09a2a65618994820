"""Decisions of the registry, in plain Python."""
