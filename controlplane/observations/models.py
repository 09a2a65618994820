"""Tables of observations."""
