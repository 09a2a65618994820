"""What people ask of runs. Each is in the audit log, in the transaction of what was done."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from controlplane.accounts.services import audit
from controlplane.ingestion.domain.runs import RunState
from controlplane.ingestion.models import IngestionRun
from controlplane.ingestion.services import runs
from controlplane.ingestion.services.stream.waking import skip_gap
from controlplane.kernel.errors import Conflict, Refused
from controlplane.registry import selectors as registry
from store_adapters import Lane

_NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and from which network address."""

    name: str
    address: str = ""


def ask_run(project: str, view: str, *, full: bool, asker: Asker, now: datetime) -> IngestionRun:
    """Queue a batch run of a view; one that is queued already is that run."""
    record = registry.find_view(project, view)
    if record.view.batch is None:
        raise Refused("lane_not_declared", f"feature view {view!r} has no batch lane")
    with transaction.atomic():
        run = runs.queue_run(record, Lane.BATCH, now=now, full=full, requested_by=asker.name[:_NAME_LENGTH])
        _record(run, "run", before="", asker=asker, now=now)
    return run


def ask_retry(run: IngestionRun, *, over_gap: bool, asker: Asker, now: datetime) -> IngestionRun:
    """Queue another try of a run that ended badly. A stream goes on by itself, save after a gap."""
    if run.state not in (RunState.FAILED, RunState.ABORTED):
        raise Conflict("conflict", f"run {run.pk} cannot be tried again: it is {run.state}")
    if run.lane == Lane.BATCH:
        return ask_run(run.project, run.view, full=run.is_full, asker=asker, now=now)
    if run.lane != Lane.STREAM or not over_gap:
        raise Conflict("conflict", f"run {run.pk} of the {run.lane} lane goes on by itself")
    with transaction.atomic():
        after = skip_gap(run.project, run.view, requested_by=asker.name[:_NAME_LENGTH], now=now)
        _record(after, "skip_gap", before="", asker=asker, now=now)
    return after


def ask_end(run: IngestionRun, *, asker: Asker, now: datetime) -> None:
    """End a run that waits, or ask the holder of a running one to stop; ``Conflict`` once it has ended."""
    with transaction.atomic():
        before = run.state
        runs.cancel_run(run, now=now)
        _record(run, "cancel", before=before, asker=asker, now=now)


def ask_release(run: IngestionRun, *, asker: Asker, now: datetime) -> None:
    """Let a held run go on; ``Conflict`` when it is not held."""
    with transaction.atomic():
        before = run.state
        runs.release_run(run, now=now)
        _record(run, "release", before=before, asker=asker, now=now)


def _record(run: IngestionRun, action: str, *, before: str, asker: Asker, now: datetime) -> None:
    audit.record(
        actor=asker.name,
        project=run.project,
        action=action,
        object_kind="run",
        object_name=f"{run.view}.{run.lane}#{run.pk}",
        before={"state": before} if before else None,
        after={"state": run.state, "full": run.is_full},
        now=now,
        address=asker.address,
    )
