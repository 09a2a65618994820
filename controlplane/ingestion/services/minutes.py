"""The direct lane's runs: one per view and minute, opened by its first request, closed by the sweeper."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from controlplane.ingestion.domain.runs import Counts, RunState
from controlplane.ingestion.models import IngestionRun, LaneState
from controlplane.ingestion.services.describing import describe_run
from controlplane.ingestion.services.runs import next_run_number
from controlplane.ingestion.services.transitions import record_transition
from controlplane.registry.domain.records import ViewRecord
from store_adapters import Lane

MINUTE = timedelta(minutes=1)
# Requests that began in a minute may still be writing a little after it.
SETTLED = timedelta(seconds=90)


def current_minute(record: ViewRecord, state: LaneState, *, now: datetime) -> IngestionRun:
    """Return the run that rows received now belong to."""
    minute = now.replace(second=0, microsecond=0)
    found = IngestionRun.objects.filter(view_id=record.id, lane=Lane.DIRECT, scheduled_for=minute).first()
    return found or _open_minute(record, state, minute, now=now)


def add_counts(run: IngestionRun, counts: Counts) -> None:
    """Add one request's counts. Concurrent requests add up; after the minute is closed, they still do."""
    additions: Mapping[str, F] = {
        name: F(name) + amount for name, amount in counts.as_dict().items() if amount
    }
    if additions:
        IngestionRun.objects.filter(pk=run.pk).update(**additions)


def close_minutes(*, now: datetime) -> int:
    """End the runs of minutes that are over; returns how many."""
    over = IngestionRun.objects.filter(lane=Lane.DIRECT, state=RunState.RUNNING, due_at__lte=now)
    closed = 0
    for run in over[:500]:
        with transaction.atomic():
            mine = IngestionRun.objects.filter(pk=run.pk, state=RunState.RUNNING)
            watermark = LaneState.objects.filter(view_id=run.view_id, lane=Lane.DIRECT).first()
            after = watermark.watermark_us if watermark else None
            if mine.update(state=RunState.SUCCEEDED, ended_at=now, watermark_after_us=after):
                run.refresh_from_db()
                record_transition(run, before=RunState.RUNNING, after=RunState.SUCCEEDED, now=now)
                closed += 1
    return closed


def _open_minute(record: ViewRecord, state: LaneState, minute: datetime, *, now: datetime) -> IngestionRun:
    try:
        with transaction.atomic():
            run = IngestionRun.objects.create(
                project=record.project,
                view_id=record.id,
                view=record.name,
                lane=Lane.DIRECT,
                state=RunState.RUNNING,
                scheduled_for=minute,
                run_number=next_run_number(now=now),
                dataset=describe_run(record, Lane.DIRECT),
                contract_number=record.contract_number,
                layout_number=record.layout.number,
                generation=state.generation,
                watermark_before_us=state.watermark_us,
                queued_at=now,
                due_at=minute + SETTLED,
                started_at=now,
            )
            record_transition(run, before=None, after=RunState.RUNNING, now=now)
    except IntegrityError:
        found = IngestionRun.objects.filter(view_id=record.id, lane=Lane.DIRECT, scheduled_for=minute).first()
        # Not our minute: another run took the number at the same instant. The next one is free.
        return found or _open_minute(record, state, minute, now=now + timedelta(microseconds=1))
    return run
