"""Queueing, claiming, renewing and ending runs: by compare-and-swap, and fenced from then on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max, Q

from controlplane.ingestion.domain.runs import (
    UNFINISHED,
    LostLease,
    Phase,
    RunError,
    RunState,
)
from controlplane.ingestion.models import IngestionRun
from controlplane.ingestion.services.describing import describe_run
from controlplane.ingestion.services.transitions import record_transition
from controlplane.kernel import clock
from controlplane.kernel.errors import Conflict
from controlplane.registry.domain.records import ViewRecord
from store_adapters import Lane


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a run, until its lease ends or somebody takes it over."""

    run_id: int
    fence: int
    lease: timedelta

    def update(self, **fields: Any) -> None:
        """Write fields of the run if it is still ours; else ``LostLease``."""
        held = IngestionRun.objects.filter(pk=self.run_id, fence=self.fence, state=RunState.RUNNING)
        if not held.update(**fields):
            raise LostLease(f"run {self.run_id} is no longer held under fence {self.fence}")

    def renew(self, *, now: datetime, **fields: Any) -> None:
        """Show a sign of life, and progress with it."""
        self.update(lease_until=now + self.lease, **fields)


def queue_run(
    record: ViewRecord,
    lane: Lane,
    *,
    now: datetime,
    full: bool = False,
    skip_gap: bool = False,
    requested_by: str = "",
    scheduled_for: datetime | None = None,
) -> IngestionRun:
    """Add a run that is due now. One that is queued for the same already is that run."""
    with transaction.atomic():
        waiting = IngestionRun.objects.filter(view_id=record.id, lane=lane, state=RunState.QUEUED).first()
        if waiting is not None:
            if full and not waiting.is_full and not waiting.plan:
                IngestionRun.objects.filter(pk=waiting.pk).update(is_full=True)
                waiting.is_full = True
            return waiting
        run = IngestionRun.objects.create(
            project=record.project,
            view_id=record.id,
            view=record.name,
            lane=lane,
            is_full=full,
            skips_gap=skip_gap,
            requested_by=requested_by,
            scheduled_for=scheduled_for,
            dataset=describe_run(record, lane),
            queued_at=now,
            due_at=now,
        )
        record_transition(run, before=None, after=RunState.QUEUED, now=now)
    return run


def claim_run(run_id: int, *, worker: str, now: datetime, lease: timedelta) -> Claim | None:
    """Take a run that is due, or whose holder died. None: somebody else has it, or another of its view."""
    free = Q(state=RunState.QUEUED, due_at__lte=now) | Q(state=RunState.RUNNING, lease_until__lt=now)
    try:
        with transaction.atomic():
            found = IngestionRun.objects.filter(free, pk=run_id).first()
            if found is None:
                return None
            taken = IngestionRun.objects.filter(free, pk=run_id, state=found.state, fence=found.fence).update(
                state=RunState.RUNNING,
                worker=worker,
                lease_until=now + lease,
                fence=F("fence") + 1,
                started_at=found.started_at or now,
                # Numbered when it first starts, not when it was queued: numbers are the order of execution.
                run_number=found.run_number or next_run_number(now=now),
                error=None,
            )
            if not taken:
                return None
            run = IngestionRun.objects.get(pk=run_id)
            if found.state == RunState.QUEUED:
                record_transition(run, before=RunState.QUEUED, after=RunState.RUNNING, now=now)
                _supersede_held(run, now=now)
    except IntegrityError:  # another run of this lane is at work, or took the number: later
        return None
    return Claim(run_id, run.fence, lease)


def move_run(claim: Claim, after: RunState, *, now: datetime, **fields: Any) -> None:
    """End a run or set it aside: the fenced update and its transition in one transaction."""
    ended = {} if after in UNFINISHED else {"ended_at": now}
    with transaction.atomic():
        claim.update(state=after, lease_until=None, **ended, **fields)
        run = IngestionRun.objects.get(pk=claim.run_id)
        record_transition(run, before=RunState.RUNNING, after=after, now=now)


def tell_progress(claim: Claim, *, now: datetime, **fields: Any) -> None:
    """Tell lineage that a long run is alive (OpenLineage RUNNING), with the fields that it has by now."""
    with transaction.atomic():
        claim.renew(now=now, **fields)
        run = IngestionRun.objects.get(pk=claim.run_id)
        record_transition(run, before=RunState.RUNNING, after=RunState.RUNNING, now=now)


def fail_run(claim: Claim, error: RunError, *, now: datetime, **fields: Any) -> None:
    """End a run that will not succeed by trying again."""
    move_run(claim, RunState.FAILED, now=now, error=error.as_dict(), **fields)


def retry_later(claim: Claim, error: RunError, *, due_at: datetime, now: datetime) -> None:
    """Put a run back: the next try is due in the row, never in the broker."""
    move_run(claim, RunState.QUEUED, now=now, error=error.as_dict(), due_at=due_at, attempt=F("attempt") + 1)


def cancel_run(run: IngestionRun, *, now: datetime) -> None:
    """End a run that waits; ask the holder of a running one to stop. ``Conflict`` once it has ended."""
    with transaction.atomic():
        waiting = IngestionRun.objects.filter(pk=run.pk, state__in=[RunState.QUEUED, RunState.HELD])
        if waiting.update(state=RunState.ABORTED, ended_at=now, is_cancelled=True):
            before = RunState(run.state)
            run.refresh_from_db()
            record_transition(run, before=before, after=RunState.ABORTED, now=now)
            return
        running = IngestionRun.objects.filter(pk=run.pk, state=RunState.RUNNING).exclude(phase=Phase.PUBLISH)
        if not running.update(is_cancelled=True):
            raise Conflict("conflict", f"run {run.pk} has ended: it is {run.state}")


def end_abandoned(run: IngestionRun, *, now: datetime) -> bool:
    """End a run that nobody holds and nobody will take any more; whether it was one. Its holder, if it is
    alive after all, finds that its fence holds nothing.
    """
    left = IngestionRun.objects.filter(
        pk=run.pk, state=RunState.RUNNING, fence=run.fence, lease_until__lt=now
    )
    with transaction.atomic():
        if not left.update(state=RunState.ABORTED, ended_at=now, lease_until=None, is_cancelled=True):
            return False
        run.refresh_from_db()
        record_transition(run, before=RunState.RUNNING, after=RunState.ABORTED, now=now)
    return True


def release_run(run: IngestionRun, *, now: datetime) -> None:
    """Let a run go on that a circuit breaker held."""
    with transaction.atomic():
        held = IngestionRun.objects.filter(pk=run.pk, state=RunState.HELD)
        if not held.update(state=RunState.QUEUED, is_released=True, due_at=now, hold_reason=""):
            raise Conflict("conflict", f"run {run.pk} is not held: it is {run.state}")
        run.refresh_from_db()
        record_transition(run, before=RunState.HELD, after=RunState.QUEUED, now=now)


def _supersede_held(run: IngestionRun, *, now: datetime) -> None:
    """A held run waits for a person or for the next run: this is the next run."""
    held = IngestionRun.objects.filter(view_id=run.view_id, lane=run.lane, state=RunState.HELD)
    for older in held.exclude(pk=run.pk):
        changed = held.filter(pk=older.pk).update(
            state=RunState.ABORTED, ended_at=now, hold_reason=f"superseded by run {run.pk}"
        )
        if changed:
            older.refresh_from_db()
            record_transition(older, before=RunState.HELD, after=RunState.ABORTED, now=now)


def next_run_number(*, now: datetime) -> int:
    """Return max(previous + 1, microseconds now); a twin is stopped by the column's uniqueness."""
    last = IngestionRun.objects.aggregate(last=Max("run_number"))["last"] or 0
    return int(max(last + 1, clock.to_us(now)))
