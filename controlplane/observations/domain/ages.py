"""Ages in logarithmic buckets, as serving counts them.

Bucket i holds ages up to ``0.1 s x 1.25^i`` and above the bound of bucket i - 1; bucket 0 everything below.
The last bucket holds what is over 30 days, and ages that nobody knows.
"""

import math
from collections.abc import Mapping
from datetime import timedelta

FACTOR = 1.25
SMALLEST = timedelta(milliseconds=100)
LAST = 78


def bucket_of(age: timedelta) -> int:
    """Return the bucket of a known age."""
    if age <= SMALLEST:
        return 0
    return min(LAST, math.ceil(math.log(age / SMALLEST) / math.log(FACTOR)))


def upper_bound(bucket: int) -> timedelta:
    """Return the greatest age in ``bucket``; ``timedelta.max`` for the last."""
    return timedelta.max if bucket >= LAST else SMALLEST * FACTOR**bucket


def share_over(buckets: Mapping[int, int], limit: timedelta) -> float | None:
    """Return the share of rows that are certainly older than ``limit``; None without rows.

    Rows of the bucket that ``limit`` cuts count as not over: the answer never exceeds the truth, and is
    at least the share over 1.25 x ``limit``. At a contract's own max age, the count of stale values is exact.
    """
    rows = sum(buckets.values())
    if not rows:
        return None
    over = sum(count for bucket, count in buckets.items() if bucket > 0 and upper_bound(bucket - 1) >= limit)
    return over / rows


def quantile(buckets: Mapping[int, int], q: float) -> timedelta | None:
    """Return an age that the share ``q`` of the rows does not exceed, at most 1.25 x too high; None without
    rows, ``timedelta.max`` when it lies over 30 days or is unknown."""
    rows = sum(buckets.values())
    if not rows:
        return None
    needed = max(1, math.ceil(q * rows))
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= needed:
            return upper_bound(bucket)
    return timedelta.max
