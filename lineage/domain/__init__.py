"""Decisions about lineage, without I/O."""
