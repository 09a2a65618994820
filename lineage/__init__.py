"""Lineage: who made what."""
