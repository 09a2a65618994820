"""What the demo's sources hold at an instant: files written whole, a stream that grows by whole lines."""

import json
import os
from datetime import datetime, timedelta

from controlplane.ingestion.sources.jsonl import ROTATED
from controlplane.kernel import clock
from controlplane.project.demo.data import DataSet, Departure
from controlplane.project.demo.places import Places
from controlplane.project.demo.timeline import DAY, SPEED, Timeline

WEATHER_KEPT = 8 * DAY
FLIGHTS_KEPT = timedelta(days=364) / SPEED
# After a pause the stream takes up what left since, but not months of it: two days are eight minutes of now.
LONGEST_CATCH_UP = 2 * DAY
# Six hours of departures. The file of before is kept beside it: so long may the stream lane stand still.
ROTATE_AT_BYTES = 16 * 2**20
_TAIL_BYTES = 4_096


class Writer:
    """Brings the files of the sources up to an instant."""

    def __init__(self, dataset: DataSet, timeline: Timeline, places: Places) -> None:
        self._dataset = dataset
        self._timeline = timeline
        self._places = places
        self._history_until: datetime | None = None

    def write_planes(self) -> None:
        """Write the table of planes, which does not change."""
        self._dataset.write_planes(self._places.planes)

    def write_weather(self, now: datetime) -> None:
        """Write what the stations reported until ``now``."""
        after = now - WEATHER_KEPT
        self._dataset.draft("weather", self._places.weather, self._timeline, after=after, until=now).publish()

    def write_flights(self, now: datetime) -> None:
        """Write the flights until ``now``: those of today often, those of before once a day."""
        history, live = self._places.flights / "history.parquet", self._places.flights / "live.parquet"
        begun = self._history_until
        if begun is None or now - begun > DAY:
            after = now - FLIGHTS_KEPT
            # One after the other in an instant: who reads notices that files changed, and reads again.
            drafts = [
                self._dataset.draft("flights", history, self._timeline, after=after, until=now),
                self._dataset.draft("flights", live, self._timeline, after=now, until=now),
            ]
            for draft in drafts:
                draft.publish()
            self._history_until = now
            return
        self._dataset.draft("flights", live, self._timeline, after=begun, until=now).publish()

    def append_departures(self, *, after: datetime, until: datetime) -> int:
        """Add the flights of (after, until] to the stream; returns how many."""
        departures = self._dataset.departures(self._timeline, after=after, until=until)
        if departures:
            self._append("".join(map(_line, departures)).encode())
        return len(departures)

    def _append(self, lines: bytes) -> None:
        stream = self._places.departures
        if stream.exists() and stream.stat().st_size >= ROTATE_AT_BYTES:
            self._rotate(lines)
            return
        # One write, so that a reader sees whole lines, and a kill leaves all of them or none.
        with stream.open("ab", buffering=0) as file:
            file.write(lines)

    def _rotate(self, lines: bytes) -> None:
        """Begin a new file with ``lines``.

        Under its name there is a file at every instant, and no empty one: a kill hides no last departure.
        """
        stream = self._places.departures
        draft, older = stream.with_suffix(".part"), stream.with_suffix(".older")
        draft.write_bytes(lines)
        older.unlink(missing_ok=True)  # of a kill
        os.link(stream, older)
        older.replace(stream.with_name(stream.name + ROTATED))
        draft.replace(stream)

    def last_departure(self) -> datetime | None:
        """Return when the newest flight of the stream left; None before the first."""
        if not self._places.departures.exists():
            return None
        with self._places.departures.open("rb") as file:
            file.seek(max(0, self._places.departures.stat().st_size - _TAIL_BYTES))
            lines = file.read().splitlines()
        return datetime.fromisoformat(json.loads(lines[-1])["departed_at"]) if lines else None


def _line(departure: Departure) -> str:
    event = {
        "carrier": departure.carrier,
        "flight": departure.flight,
        "tail": departure.tail,
        "origin": departure.origin,
        "dest": departure.dest,
        "cancelled": departure.cancelled,
        "delay": {"departure": departure.delay},
        "departed_at": clock.from_us(departure.at_us).isoformat(),
    }
    return json.dumps(event) + "\n"
