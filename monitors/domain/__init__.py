"""Decisions about monitors, without I/O."""
