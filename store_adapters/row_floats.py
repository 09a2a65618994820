"""One bit pattern for zero and one for NaN, so that equal rows are equal bytes."""

NAN = float("nan")

# Doubles up to here (half of the smallest float32) round to a float32 zero, whose sign would show.
_TINY = 2.0**-150


def canonical64(value: float) -> float:
    """Return what is stored for a float64: NaN becomes the one NaN, -0.0 becomes 0.0."""
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return NAN
    return value + 0.0  # -0.0 + 0.0 is 0.0; every other value stays itself


def canonical32(value: float) -> float:
    """Return what is packed for a float32: as ``canonical64``, and nothing rounds to -0.0."""
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return NAN
    return 0.0 if -_TINY <= value <= 0.0 else value
