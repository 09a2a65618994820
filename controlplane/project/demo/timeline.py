"""The demo's time: 2013 played 360 times as fast, so that an hour of weather takes ten seconds.

The data set is one lap; after its last hour the next lap begins with the first. What happened at a *moment*
(microseconds since the beginning of the lap, at the speed of 2013) happens at one instant of each lap, and
instants only grow: what is replayed is live and never goes back. Everything is in whole microseconds, so that
asking for what happened after an instant never gives the same flight twice.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from controlplane.kernel import clock, durations

SPEED = 360
HOUR = timedelta(hours=1) / SPEED
DAY = timedelta(days=1) / SPEED
# A Monday morning in June, after five months that are history from the start.
BEGIN = datetime(2013, 6, 3, 14, tzinfo=UTC)

# After the full ten seconds: written then, what a run of a ten-second schedule reads stands still meanwhile.
_HOURS_STRIKE = timedelta(seconds=7)


@dataclass(frozen=True, slots=True)
class Timeline:
    """``anchor_us``: the instant at which the replay stood at the moment ``begin`` of lap 0."""

    anchor_us: int
    begin: int
    length: int

    def start_of(self, lap: int) -> int:
        """Return the instant, in microseconds since 1970, at which a lap begins."""
        return self.anchor_us + (lap * self.length - self.begin) // SPEED

    def laps(self, after: datetime, until: datetime) -> range:
        """Return the laps that have moments in (after, until]; there is none before lap 0."""
        return range(max(0, self._lap(after)), self._lap(until) + 1)

    def hours_at(self, now: datetime) -> int:
        """Return how many hours of 2013 the replay has played at ``now``."""
        return (clock.to_us(now) - self.anchor_us) // durations.to_us(HOUR)

    def _lap(self, now: datetime) -> int:
        return ((clock.to_us(now) - self.anchor_us) * SPEED + self.begin) // self.length


def anchor_of(path: Path, *, now: datetime) -> int:
    """Return the anchor that ``path`` keeps; when there is none yet, it is the last one before ``now``."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        strikes_us, hour_us = durations.to_us(_HOURS_STRIKE), durations.to_us(HOUR)
        anchor_us = (clock.to_us(now) - strikes_us) // hour_us * hour_us + strikes_us
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps({"anchor_us": anchor_us}))
        draft.replace(path)
    return int(json.loads(path.read_text())["anchor_us"])
