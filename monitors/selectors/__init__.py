"""Reads of monitors."""
