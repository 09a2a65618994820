"""For how long people silence: the choices of every form that does."""

from collections.abc import Mapping
from datetime import timedelta

from controlplane.kernel.errors import Refused

CHOICES = (("15m", "15 minutes"), ("1h", "1 hour"), ("4h", "4 hours"), ("1d", "a day"), ("7d", "a week"))
_SPANS: Mapping[str, timedelta] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
}


def span_of(choice: str) -> timedelta:
    """Return how long a choice is; ``Refused`` for what is none."""
    if choice not in _SPANS:
        raise Refused("bad_value", f"for: choose one of {', '.join(_SPANS)}")
    return _SPANS[choice]
