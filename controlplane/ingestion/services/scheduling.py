"""What is due: runs that schedules want, and queued or abandoned runs that wait for a worker."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from controlplane.ingestion.domain.runs import RunState
from controlplane.ingestion.models import IngestionRun, LaneState
from controlplane.ingestion.services.lanes import next_due
from controlplane.ingestion.services.runs import queue_run
from controlplane.kernel.errors import NotFound
from controlplane.registry import selectors as registry
from store_adapters import Lane


def queue_scheduled(*, now: datetime) -> int:
    """Queue a run for every batch lane whose schedule is due; returns how many lanes were.

    Instants that passed while nobody looked become one run, named after the first of them.
    """
    due = LaneState.objects.filter(lane=Lane.BATCH, is_active=True, next_due_at__lte=now)
    return sum(_queue(state, now=now) for state in due.order_by("next_due_at")[:500])


def due_runs(*, now: datetime, limit: int = 50) -> list[int]:
    """Return the ids of batch runs that anybody may claim, the longest due first."""
    free = Q(state=RunState.QUEUED, due_at__lte=now) | Q(state=RunState.RUNNING, lease_until__lt=now)
    found = IngestionRun.objects.filter(free, lane=Lane.BATCH).order_by("due_at", "pk")
    return list(found.values_list("pk", flat=True)[:limit])


def _queue(state: LaneState, *, now: datetime) -> bool:
    instant = state.next_due_at
    try:
        record = registry.find_view(state.project, state.view)
    except NotFound:  # retired a moment ago; the lane goes to rest with the next look at the registry
        return False
    batch = record.view.batch
    if instant is None or batch is None or not batch.schedule or record.id != state.view_id:
        return False
    following = next_due(batch.schedule, batch.timezone, after=now)
    try:
        with transaction.atomic():
            unmoved = LaneState.objects.filter(pk=state.pk, next_due_at=instant)
            if not unmoved.update(next_due_at=following):
                return False
            if not IngestionRun.objects.filter(
                view_id=state.view_id, lane=state.lane, scheduled_for=instant
            ).exists():
                queue_run(record, Lane.BATCH, now=now, scheduled_for=instant, requested_by="schedule")
    except IntegrityError:  # another scheduler made the run of this instant: the next look moves on
        return False
    return True
