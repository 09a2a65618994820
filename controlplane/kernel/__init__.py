"""Plain Python that everybody may import: names, values, durations, the clock, errors, metrics."""
