"""Add to the half hours that pages draw the last day from."""

from collections.abc import Mapping, Sequence

from controlplane.kernel.durations import to_us
from controlplane.observations.domain.half_hours import HalfHour
from controlplane.observations.models import HalfHourCount
from controlplane.observations.selectors import half_hour_of

_ROWS_AT_ONCE = 200
_MERGED = [
    "requests",
    "values",
    "features",
    "latency_buckets",
    "probed",
    "probe_latency_buckets",
    "age_p95_us",
]


def add_half_hours(increments: Sequence[HalfHour]) -> None:
    """Add each to its row, inside the caller's transaction.

    ``increments`` come in the order of their keys, each key once: rows are locked in it, so that of two
    writers at once one waits for the other, and never both.
    """
    HalfHourCount.objects.bulk_create(
        [HalfHourCount(project=each.project, view=each.view, number=each.number) for each in increments],
        ignore_conflicts=True,
        batch_size=_ROWS_AT_ONCE,
    )
    changed = []
    for each in increments:
        row = HalfHourCount.objects.select_for_update().get(
            project=each.project, view=each.view, number=each.number
        )
        _write(row, half_hour_of(row) + each)
        changed.append(row)
    HalfHourCount.objects.bulk_update(changed, _MERGED, batch_size=_ROWS_AT_ONCE)


def _write(row: HalfHourCount, total: HalfHour) -> None:
    row.requests = total.requests
    row.values, row.features, row.probed = dict(total.values), dict(total.features), dict(total.probed)
    row.latency_buckets = _text(total.latency_buckets)
    row.probe_latency_buckets = _text(total.probe_latency_buckets)
    row.age_p95_us = None if total.age_p95 is None else to_us(total.age_p95)


def _text(buckets: Mapping[int, int]) -> dict[str, int]:
    return {str(bucket): count for bucket, count in buckets.items()}
