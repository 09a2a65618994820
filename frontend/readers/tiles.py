"""The tiles at the foot of Home: how lookups, the store and the batches of a project do, over a day."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse

from controlplane.ingestion.selectors import RunRecord
from controlplane.observations.domain.half_hours import number_of
from frontend.readers.last_day import (
    COLUMNS,
    LastDay,
    bad_share,
    in_milliseconds,
    probed_p95,
    served_p95,
    values_of,
)
from frontend.records.home import Tile
from frontend.wording import count, percent, rate, took


def read_tiles(project: str, day: LastDay, good_batches: Sequence[RunRecord]) -> tuple[Tile, ...]:
    """Return the tiles. ``good_batches``: the runs that succeeded in the last day, the newest first."""
    system = reverse("system")
    served, probed, share = served_p95(day.recent), probed_p95(day.recent), bad_share(day.recent)
    lookups = sum(column.requests for column in day.known)
    return (
        Tile(
            label="Serving p95",
            value=took(served),
            note="of lookups, last half hour" if served is not None else "no lookup in the last half hour",
            series=day.series(lambda column: in_milliseconds(served_p95([column]))),
            unit="ms",
            address=system,
        ),
        Tile(
            label="Lookups",
            value=rate(day.rate()),
            note=f"{count(lookups)} in 24 h" if lookups else "none in 24 h",
            series=day.series(day.rate_of) if lookups else (),
            unit="a second",
            address=reverse("catalogue", kwargs={"project": project}),
        ),
        Tile(
            label="Violation rate",
            value=percent(share),
            note=f"of {count(sum(map(values_of, day.recent)))} values, last half hour"
            if share is not None
            else "no value was looked up in the last half hour",
            series=day.series(lambda column: _percentage(bad_share([column]))),
            unit="% of values",
            address=f"{reverse('catalogue', kwargs={'project': project})}?state=violating",
        ),
        Tile(
            label="Store probe p95",
            value=took(probed),
            note="to read a view's known keys" if probed is not None else "no probe in the last half hour",
            series=day.series(lambda column: in_milliseconds(probed_p95([column]))),
            unit="ms",
            address=system,
        ),
        _last_batch(project, good_batches, now=day.now),
    )


def _last_batch(project: str, runs: Sequence[RunRecord], *, now: datetime) -> Tile:
    """Tell how much of what the last batch read had changed."""
    address = f"{reverse('run_list', kwargs={'project': project})}?lane=batch"
    if not runs:
        return Tile("Changed by the last batch", "–", "no batch succeeded in 24 h", (), "", address)
    last = runs[0]
    return Tile(
        label="Changed by the last batch",
        value=percent(_ratio([last])),
        note=f"{count(_moved(last))} of {count(last.counts.read)} rows, {last.view}",
        series=_by_half_hour(runs, now=now),
        unit="% of rows",
        address=address,
    )


def _by_half_hour(runs: Sequence[RunRecord], *, now: datetime) -> tuple[float | None, ...]:
    ended: dict[int, list[RunRecord]] = defaultdict(list)
    for run in runs:
        if run.ended_at is not None:
            ended[number_of(run.ended_at)].append(run)
    last = number_of(now)
    return tuple(_percentage(_ratio(ended[number])) for number in range(last - COLUMNS + 1, last + 1))


def _ratio(runs: Sequence[RunRecord]) -> float | None:
    read = sum(run.counts.read for run in runs)
    return sum(map(_moved, runs)) / read if read else None


def _moved(run: RunRecord) -> int:
    return run.counts.added + run.counts.changed + run.counts.removed


def _percentage(share: float | None) -> float | None:
    return None if share is None else share * 100
