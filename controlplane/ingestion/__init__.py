"""The three lanes."""
