"""Lookups by Freshline and by Feast's Python feature server, over the same values in the same Redis."""
