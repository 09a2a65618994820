"""Decisions about ingestion runs, without I/O."""
