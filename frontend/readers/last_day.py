"""The last 24 hours of a view or a project in half hours, as sparklines and heat strips draw them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from controlplane.observations import selectors as observations
from controlplane.observations.domain import latencies
from controlplane.observations.domain.half_hours import LENGTH, number_of
from controlplane.observations.selectors import HalfHour
from frontend.records.view import Series

COLUMNS = 48
DAY = timedelta(days=1)
_AS_PROMISED = ("fresh", "null")
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class LastDay:
    """``columns``: a half hour each, oldest first, None where nothing is known; the last one is under way.

    ``known_since``: when there was nothing yet to be looked up before that.
    """

    columns: tuple[HalfHour | None, ...]
    now: datetime
    known_since: datetime

    @property
    def since(self) -> datetime:
        """When the first column begins."""
        return _begin(number_of(self.now) - COLUMNS + 1)

    @property
    def known(self) -> list[HalfHour]:
        """The columns of which something is known."""
        return [column for column in self.columns if column is not None]

    @property
    def recent(self) -> list[HalfHour]:
        """What is known of the last half hour, and of the one under way."""
        return [column for column in self.columns[-2:] if column is not None]

    def series(self, tell: Callable[[HalfHour], float | None]) -> Series:
        """Return a figure of each column; nothing at all when no column has one."""
        told = tuple(None if column is None else tell(column) for column in self.columns)
        return told if any(value is not None for value in told) else ()

    def rate(self) -> float | None:
        """Return lookups a second over the last half hour and the one under way; None without any in 24 h."""
        if not any(column.requests for column in self.known):
            return None
        begins = max(_begin(number_of(self.now) - 1), self.known_since)
        return sum(column.requests for column in self.recent) / _seconds(self.now - begins)

    def rate_of(self, column: HalfHour) -> float:
        """Return lookups a second in one column."""
        begins = max(_begin(column.number), self.known_since)
        ends = min(_begin(column.number + 1), self.now)
        return column.requests / _seconds(ends - begins)


def read_last_day(project: str, view: str = "", *, known_since: datetime, now: datetime) -> LastDay:
    """Return the last day of a view, or with ``view`` empty of the whole project."""
    last = number_of(now)
    start = _begin(last - COLUMNS + 1)
    found = {each.number: each for each in observations.half_hours(project, view, start=start, end=now)}
    columns = tuple(found.get(number) for number in range(last - COLUMNS + 1, last + 1))
    return LastDay(columns, now, known_since)


def values_of(column: HalfHour) -> int:
    """Return how many values were looked up."""
    return sum(column.values.values())


def bad_share(columns: Sequence[HalfHour]) -> float | None:
    """Return the share of looked-up values that were not as promised; None without any."""
    total = sum(values_of(column) for column in columns)
    good = sum(column.values.get(verdict, 0) for column in columns for verdict in _AS_PROMISED)
    return (total - good) / total if total else None


def served_p95(columns: Sequence[HalfHour]) -> timedelta | None:
    """Return the time that 95 % of the lookups did not exceed, within serving."""
    return _p95([column.latency_buckets for column in columns])


def probed_p95(columns: Sequence[HalfHour]) -> timedelta | None:
    """Return the time that 95 % of the probes' reads of the store did not exceed."""
    return _p95([column.probe_latency_buckets for column in columns])


def in_milliseconds(took: timedelta | None) -> float | None:
    """Return a time as a number of milliseconds."""
    return None if took is None else took / timedelta(milliseconds=1)


def _p95(each: Sequence[Mapping[int, int]]) -> timedelta | None:
    merged: dict[int, int] = {}
    for buckets in each:
        for bucket, count in buckets.items():
            merged[bucket] = merged.get(bucket, 0) + count
    return latencies.quantile(merged, 0.95)


def _begin(number: int) -> datetime:
    return datetime.fromtimestamp(number * LENGTH.total_seconds(), UTC)


def _seconds(lasted: timedelta) -> float:
    # Serving reports every few seconds: over less than a minute a rate would say more about that.
    return max(lasted, _MINUTE).total_seconds()
