"""The health strip of a view's page: figures of the last day, told beside each other."""

from collections.abc import Sequence
from datetime import timedelta

from controlplane.ingestion.selectors import RunRecord
from controlplane.observations.selectors import HalfHour
from controlplane.registry.selectors import KeyedView
from frontend.readers.health import Watched
from frontend.readers.last_day import LastDay, bad_share, in_milliseconds, served_p95, values_of
from frontend.records.view import HealthCell
from frontend.wording import count, duration, percent, rate, ratio, took
from store_adapters import Lane

_MINUTE = timedelta(minutes=1)
_RUNS_DRAWN = 48
_TELLING = 0.01  # of more values than this nobody needs the tenth part of one in a thousand


def read_cells(
    record: KeyedView, watched: Watched, day: LastDay, runs: Sequence[RunRecord]
) -> tuple[HealthCell, ...]:
    """Return the cells. Only freshness is judged here; the rest is told, for judging is for who watches."""
    return (
        _freshness(record, watched, day),
        _completeness(day),
        _contract(day),
        _serving(day),
        _last_run(runs),
    )


def _freshness(record: KeyedView, watched: Watched, day: LastDay) -> HealthCell:
    """Say how old the oldest keys are, and what monitors make of it."""
    limit = record.strictest_max_age
    one = watched.views.get(record.name)
    age = watched.age_of(record.name)
    times = f" ({ratio(age, limit)})" if age is not None and age > limit / 10 else ""
    note = one.health.reason if one and one.health.reason else f"at most {duration(limit)}{times}"
    return HealthCell(
        key="freshness",
        label="Freshness",
        state=watched.state_of(record),
        value="–" if age is None else duration(age),
        note=note,
        series=day.series(lambda hour: None if hour.age_p95 is None else hour.age_p95 / _MINUTE),
        unit="minutes old",
        address="?tab=overview",
    )


def _completeness(day: LastDay) -> HealthCell:
    """Say how many values were missing or null: at lookups, or where there were none, to probes."""
    looked_up = any(values_of(hour) for hour in day.known)
    by_hour = {hour.number: _verdicts(hour, probed=not looked_up) for hour in day.known}
    total = sum(sum(counts.values()) for counts in by_hour.values())
    missing = sum(counts.get("missing", 0) for counts in by_hour.values())
    null = sum(counts.get("null", 0) for counts in by_hour.values())
    note = "no value was read in 24 h"
    if total:
        read = "values" if looked_up else "probed values"
        note = f"missing, {percent(null / total)} null: {count(total)} {read}, 24 h"
    return HealthCell(
        key="completeness",
        label="Completeness",
        state="",
        value=percent(missing / total if total else None),
        note=note,
        series=day.series(lambda hour: _percentage(by_hour[hour.number], "missing", "null")),
        unit="% missing or null",
        address="#heat",
    )


def _contract(day: LastDay) -> HealthCell:
    share = bad_share(day.known)
    values = sum(values_of(hour) for hour in day.known)
    return HealthCell(
        key="contract",
        label="Contract",
        state="",
        value="–" if share is None else count(round(share * 1_000, 0 if share > _TELLING else 1)),
        note=f"in 1,000 not as promised: {count(values)} values, 24 h"
        if values
        else "no value was looked up in 24 h",
        series=day.series(lambda hour: _per_thousand(bad_share([hour]))),
        unit="in 1,000 values",
        address="?tab=contract",
    )


def _serving(day: LastDay) -> HealthCell:
    p95 = served_p95(day.known)
    requests = sum(hour.requests for hour in day.known)
    slow = "" if p95 is None else f"p95 {took(p95)}, "
    return HealthCell(
        key="serving",
        label="Lookups",
        state="",
        value=rate(day.rate()),
        note=f"{slow}{count(requests)} in 24 h" if requests else "none in 24 h",
        series=day.series(day.rate_of) if requests else (),
        unit="a second",
        address="",
    )


def _last_run(newest: Sequence[RunRecord]) -> HealthCell:
    """Say how the last execution of any lane went, and how long batch runs took before it."""
    run = next((run for run in newest if run.started_at is not None), None)
    if run is None:
        return HealthCell("run", "Last run", "no_data", "none", "no lane has run yet", (), "?tab=runs")
    lasted = None if run.lane is not Lane.BATCH else _lasted(run)
    batch = [each for each in reversed(newest) if each.lane is Lane.BATCH and _lasted(each) is not None]
    return HealthCell(
        key="run",
        label="Last run",
        state="hollow" if run.hollow else run.state,
        value=f"#{run.id}" if lasted is None else took(lasted),
        note=_told_of(run, named=lasted is not None),
        series=tuple(in_milliseconds(_lasted(each)) for each in batch[-_RUNS_DRAWN:]),
        unit="ms",
        address="?tab=runs",
    )


def _told_of(run: RunRecord, *, named: bool) -> str:
    counts = run.counts
    ended = f"{run.ended_at:%H:%M} UTC, " if run.ended_at else ""
    name = f"#{run.id}, " if named else ""
    if run.ended_at is None and run.lane is Lane.BATCH:
        return f"{run.lane}, {run.phase}" if run.phase else str(run.lane)
    if run.lane is not Lane.BATCH:
        return f"{name}{ended}{run.lane}, {count(counts.written)} written"
    moved = counts.added + counts.changed + counts.removed
    return f"{name}{ended}{count(moved)} of {count(counts.read)} rows changed"


def _lasted(run: RunRecord) -> timedelta | None:
    return None if run.started_at is None or run.ended_at is None else run.ended_at - run.started_at


def _verdicts(hour: HalfHour, *, probed: bool) -> dict[str, int]:
    if not probed:
        return dict(hour.values)
    counted: dict[str, int] = {}
    for verdicts in hour.probed.values():
        for verdict, number in verdicts.items():
            counted[verdict] = counted.get(verdict, 0) + number
    return counted


def _percentage(counts: dict[str, int], *verdicts: str) -> float | None:
    total = sum(counts.values())
    return 100 * sum(counts.get(verdict, 0) for verdict in verdicts) / total if total else None


def _per_thousand(share: float | None) -> float | None:
    return None if share is None else share * 1_000
