"""Tables of monitors."""
