"""Until when a stored value is known to be right, and how old that makes it."""

# Clocks differ a little; what claims to be from later than this is no evidence.
FUTURE_TOLERANCE_US = 5_000_000


def as_of_us(
    event_time_us: int, *, write_time_us: int, watermark_us: int | None, held: bool, now_us: int
) -> int | None:
    """Return the row's as-of in microseconds since 1970; None when nothing credible is left.

    ``watermark_us`` is that of the row's own lane, None where it has none. A held row stands on its event
    time alone.
    """
    latest = now_us + FUTURE_TOLERANCE_US
    written = event_time_us if event_time_us <= latest else write_time_us
    evidence = [written, None if held else watermark_us]
    return max((us for us in evidence if us is not None and us <= latest), default=None)


def age_us(as_of_us: int | None, *, now_us: int) -> int | None:
    """Return the age in microseconds, never negative; None when the as-of is unknown."""
    return None if as_of_us is None else max(0, now_us - as_of_us)


def is_stale(age_us: int | None, *, max_age_us: int) -> bool:
    """Return whether the value is too old. Exactly the max age is fresh; an unknown age is stale."""
    return age_us is None or age_us > max_age_us
