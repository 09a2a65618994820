"""When to try again, and when to give up."""

from datetime import timedelta

FIRST = timedelta(seconds=2)
LONGEST = timedelta(minutes=5)
MAX_ATTEMPTS = 5


def retry_delay(attempt: int, *, jitter: float) -> timedelta | None:
    """Return the wait after the failed ``attempt`` (1, 2, ...); None gives up.

    Doubles from 2 s to 5 min; ``jitter`` from 0 to 1 spreads it over the upper half, so that runs which
    failed together do not come back together.
    """
    if attempt >= MAX_ATTEMPTS:
        return None
    full = min(FIRST * 2 ** min(attempt - 1, 20), LONGEST)
    return full / 2 + full / 2 * jitter


def emit_delay(attempt: int) -> timedelta:
    """Return the wait before a lineage event is sent again; it is never given up."""
    return min(FIRST * 2 ** min(max(attempt - 1, 0), 20), LONGEST)
