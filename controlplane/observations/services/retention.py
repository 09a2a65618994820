"""Forget what is older than it is kept, in small batches: a sweep never holds a long lock."""

from datetime import datetime, timedelta

from django.db.models import Model, QuerySet

from controlplane.kernel.clock import to_us
from controlplane.observations.domain.half_hours import number_of
from controlplane.observations.models import HalfHourCount, MinuteCount, Probe, ReportReceipt, SampledLookup

_BATCH = 2_000
# Receipts outlive the minutes they guard: a report of a minute that is still kept is always recognised.
_RECEIPTS_LONGER = timedelta(days=1)
SAMPLED_RETENTION = timedelta(days=1)
SAMPLED_KEPT = 100_000


def sweep(*, now: datetime, retention: timedelta) -> int:
    """Delete one batch of each kind that is due; returns how many rows. Call again while it returns some."""
    before = now - retention
    due: list[QuerySet[Model]] = [
        MinuteCount.objects.filter(minute__lt=to_us(before) // 60_000_000),
        HalfHourCount.objects.filter(number__lt=number_of(before)),
        Probe.objects.filter(at__lt=before),
        ReportReceipt.objects.filter(received_at__lt=before - _RECEIPTS_LONGER),
        SampledLookup.objects.filter(at__lt=now - min(retention, SAMPLED_RETENTION)),
        _beyond_the_newest_sampled(),
    ]
    return sum(_delete_some(rows) for rows in due)


def _beyond_the_newest_sampled() -> QuerySet[SampledLookup]:
    oldest_kept = (
        SampledLookup.objects.order_by("-pk").values_list("pk", flat=True)[SAMPLED_KEPT - 1 :].first()
    )
    return SampledLookup.objects.filter(pk__lt=oldest_kept or 0)


def _delete_some(rows: QuerySet[Model]) -> int:
    some = list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH])
    return rows.model._default_manager.filter(pk__in=some).delete()[0] if some else 0
