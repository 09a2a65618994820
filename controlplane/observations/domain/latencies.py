"""Times that lookups and probes took, in logarithmic buckets.

They are the buckets of ages, a thousand times finer: bucket i holds times up to ``0.1 ms x 1.25^i``, and
the last what took over 43 minutes.
"""

from collections.abc import Mapping
from datetime import timedelta

from controlplane.observations.domain import ages

_FINER = 1_000


def bucket_of(took: timedelta) -> int:
    """Return the bucket of a time."""
    return ages.bucket_of(took * _FINER)


def quantile(buckets: Mapping[int, int], q: float) -> timedelta | None:
    """Return a time that the share ``q`` did not exceed, at most 1.25 x too high; None without any."""
    found = ages.quantile(buckets, q)
    return None if found is None else found / _FINER
