"""Charts: pure functions from points to figures and SVG."""
