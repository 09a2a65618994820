"""Count what serving reports, each report once, however often and in whatever order it comes."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from controlplane.kernel.clock import to_us
from controlplane.kernel.durations import to_us as duration_us
from controlplane.observations.domain import half_hours
from controlplane.observations.domain.report import MinuteKey, MinuteReport, Report
from controlplane.observations.domain.sums import add_bins, add_features
from controlplane.observations.models import MinuteCount, ReportReceipt, SampledLookup
from controlplane.observations.selectors import sums_of
from controlplane.observations.services.half_hours import add_half_hours

_ROWS_AT_ONCE = 200


@transaction.atomic
def record_report(report: Report, *, now: datetime, retention: timedelta) -> bool:
    """Add the report's increments; returns False, changing nothing, when it was counted before.

    What is older than ``retention`` is left out: the receipt that would stop a second count may be gone.
    """
    _, is_new = ReportReceipt.objects.get_or_create(
        instance=report.instance,
        sequence=report.sequence,
        defaults={"received_at": now, "dropped": report.dropped},
    )
    if not is_new:
        return False
    oldest = now - retention
    kept = [entry for entry in report.minutes if entry.key.minute * 60_000_000 >= to_us(oldest)]
    _add(kept)
    add_half_hours(half_hours.of_minutes(kept))
    SampledLookup.objects.bulk_create(
        SampledLookup(
            at=lookup.at,
            project=lookup.project,
            view=lookup.view,
            service=lookup.service,
            key_sha256=lookup.key_sha256,
            key=lookup.key,
            verdicts=dict(lookup.verdicts),
            age_us=None if lookup.age is None else duration_us(lookup.age),
        )
        for lookup in report.sampled
        if oldest <= lookup.at <= now + timedelta(minutes=5)
    )
    return True


def _add(entries: Iterable[MinuteReport]) -> None:
    """Make the rows that are not there yet, lock all of them, add. Always in the order of keys, so that of
    two reports at once one waits for the other, and never both."""
    by_key: dict[MinuteKey, list[MinuteReport]] = defaultdict(list)
    for entry in entries:
        by_key[entry.key].append(entry)
    keys = sorted(by_key)
    MinuteCount.objects.bulk_create(
        [MinuteCount(**key._asdict(), contract=0) for key in keys],
        ignore_conflicts=True,
        batch_size=_ROWS_AT_ONCE,
    )
    changed = []
    for key in keys:
        row = MinuteCount.objects.select_for_update().get(**key._asdict())
        _merge(row, by_key[key])
        changed.append(row)
    MinuteCount.objects.bulk_update(changed, _MERGED, batch_size=_ROWS_AT_ONCE)


_MERGED = [
    "contract",
    "requests",
    "rows",
    "rejected_rows",
    "failed_requests",
    "also_invalid",
    "values",
    "actions",
    "age_buckets",
    "features",
    "bins",
]


def _merge(row: MinuteCount, entries: Iterable[MinuteReport]) -> None:
    sums, features, bins = sums_of(row), row.features, row.bins
    for entry in entries:
        sums += entry.sums
        features = add_features(features, entry.features)
        bins = add_bins(bins, entry.bins)
        row.contract = max(row.contract, entry.contract)
    row.requests, row.rows = sums.requests, sums.rows
    row.rejected_rows, row.failed_requests = sums.rejected_rows, sums.failed_requests
    row.also_invalid = sums.also_invalid
    row.values, row.actions = dict(sums.values), dict(sums.actions)
    row.age_buckets = {str(bucket): count for bucket, count in sums.age_buckets.items()}
    row.features, row.bins = features, bins
