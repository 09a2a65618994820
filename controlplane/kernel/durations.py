"""Durations as people write them: ``90s``, ``15m``, ``6h``, ``30d``."""

import re
from datetime import timedelta

from controlplane.kernel.errors import Refused

_PATTERN = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LONGEST = timedelta(days=3_650)


def parse(text: object) -> timedelta:
    """Return the duration that ``text`` names; 1 s to 3,650 d. Anything else is ``Refused``."""
    found = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Refused(
            "bad_duration", f"{text!r} is no duration: write a whole number and s, m, h or d, as 15m"
        )
    duration = timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    if duration > LONGEST:
        raise Refused("bad_duration", f"{text!r} is too long: at most 3650d")
    return duration


def render(duration: timedelta) -> str:
    """Return the shortest exact spelling, so that ``parse(render(d)) == d`` for whole seconds."""
    seconds = int(duration.total_seconds())
    for unit in "dhm":
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def to_us(duration: timedelta) -> int:
    """Return the duration in whole microseconds."""
    return duration // timedelta(microseconds=1)
