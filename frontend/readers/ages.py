"""The age of a view's values over time: the freshness chart, its table and its sentence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from controlplane.ingestion.selectors import RunRecord
from controlplane.observations import selectors as observations
from controlplane.registry.selectors import ViewSummary
from frontend import charts
from frontend.charts import AgePoint, RunMark, Span
from frontend.records.view import AgeRow
from monitors.selectors.incidents import IncidentSummary
from store_adapters import Lane

# What can be asked for, how long it is, and how long a point of it stands for: never over 180 points.
RANGES: Mapping[str, tuple[timedelta, timedelta]] = {
    "1h": (timedelta(hours=1), timedelta(seconds=30)),
    "6h": (timedelta(hours=6), timedelta(minutes=3)),
    "24h": (timedelta(hours=24), timedelta(minutes=10)),
    "7d": (timedelta(days=7), timedelta(hours=1)),
}
_WORDS = {"1h": "the last hour", "6h": "the last 6 h", "24h": "the last 24 h", "7d": "the last 7 d"}


@dataclass(frozen=True, slots=True)
class Ages:
    """The chart, None when nothing was measured; the sentence; and the table of the same points."""

    figure: dict[str, Any] | None
    summary: str
    rows: tuple[AgeRow, ...]


def fitting_range(age: timedelta) -> str:
    """Return the shortest range that shows everything of a view of that age, at most a day."""
    return next((name for name, (length, _) in RANGES.items() if age <= length or name == "24h"), "24h")


def read_ages(
    record: ViewSummary,
    *,
    range: str,
    runs: Iterable[RunRecord],
    incidents: Iterable[IncidentSummary],
    now: datetime,
) -> Ages:
    """Return the ages of ``record`` over one of ``RANGES``, as probes of known keys saw them.

    Under the line stand the ends of ``runs``, and ``incidents`` for as long as each was open.
    """
    length, step = RANGES[range]
    start = now - length
    limit, warn = record.strictest_max_age, record.strictest_warn_after
    slices = observations.age_slices(record.project, record.name, start=start, end=now, step=step)
    points = _with_gaps([AgePoint(each.at, each.age) for each in slices], step=step)
    told = charts.summary(points, limit=limit, breaches=_breaches(points, limit), window=_WORDS[range])
    states = {each.at: _state(each, limit=limit, warn=warn) for each in slices}
    return Ages(
        figure=charts.freshness_figure(
            points=points,
            warn=warn,
            limit=limit,
            runs=_marks(runs, start=start),
            incidents=_spans(incidents, start=start),
            until=now,
        )
        if slices
        else None,
        summary=told,
        rows=tuple(AgeRow(point.at, point.age, states.get(point.at, "no_data")) for point in points),
    )


def _marks(runs: Iterable[RunRecord], *, start: datetime) -> list[RunMark]:
    return [
        RunMark(run.ended_at, "hollow" if run.hollow else run.state)
        for run in runs
        if run.lane is Lane.BATCH and run.ended_at is not None and run.ended_at >= start
    ]


def _spans(incidents: Iterable[IncidentSummary], *, start: datetime) -> list[Span]:
    return [Span(max(one.opened_at, start), one.resolved_at, f"INC-{one.number}") for one in incidents]


def _with_gaps(points: Sequence[AgePoint], *, step: timedelta) -> list[AgePoint]:
    """Return the points with one of unknown age wherever a step or more was not probed: no line over it."""
    whole: list[AgePoint] = list(points[:1])
    for before, after in pairwise(points):
        if after.at - before.at > step:
            whole.append(AgePoint(before.at + step, None))
        whole.append(after)
    return whole


def _breaches(points: Sequence[AgePoint], limit: timedelta) -> int:
    """Return how many times the age went over the limit."""
    over = [point.age is not None and point.age > limit for point in points]
    return sum(now and not before for before, now in pairwise([False, *over]))


def _state(told: observations.AgeSlice, *, limit: timedelta, warn: timedelta) -> str:
    if told.age is None:
        return "missing" if told.missing and not told.found else "no_data"
    if told.age > limit:
        return "stale"
    return "late" if told.age > warn else "fresh"
