"""Verbs of monitors, incidents, channels and the outbox."""
