"""Reads of runs, refused rows and lanes, as plain records."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery
from openlineage.client.serde import Serde

from controlplane.ingestion.domain.lineage_events import build_event
from controlplane.ingestion.domain.runs import Counts, RunState
from controlplane.ingestion.models import IngestionRun, LaneState, RefusedRow, RunTransition
from controlplane.kernel.errors import NotFound
from store_adapters import Lane

# What is usual is told of the last few good runs of a view, found among the newest of all views asked for.
_USUAL_OF = 20
_RUNS_FOR_USUAL = 1_000


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One ingestion run. ``hollow`` and ``hold_reason`` say why; ``ledger`` is the savings by phase."""

    id: int
    project: str
    view_id: int
    view: str
    lane: Lane
    state: RunState
    phase: str
    progress_done: int
    progress_total: int
    counts: Counts
    watermark_before_us: int | None
    watermark_after_us: int | None
    hollow: str | None
    hold_reason: str | None
    scheduled_for: datetime | None
    queued_at: datetime
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: Mapping[str, Any] | None
    openlineage_run_id: UUID
    run_number: int | None
    is_full: bool
    contract_number: int
    requested_by: str
    worker: str
    ledger: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LaneRecord:
    """What a lane of a view remembers. ``gap`` says why a stream stands; ``next_due_at`` of its schedule."""

    lane: Lane
    generation: int
    watermark_us: int | None
    next_due_at: datetime | None
    gap: str | None


@dataclass(frozen=True, slots=True)
class Batches:
    """Batch runs of a project at work, and those that succeeded lately, each the newest first."""

    running: list[RunRecord]
    good: list[RunRecord]


def runs(
    projects: frozenset[str] | None,
    *,
    project: str | None = None,
    view: str | None = None,
    lane: str | None = None,
    state: str | None = None,
) -> QuerySet[IngestionRun]:
    """Return the runs of ``projects`` (None: all) that match, for paging."""
    found = (
        IngestionRun.objects.all() if projects is None else IngestionRun.objects.filter(project__in=projects)
    )
    wanted = {"project": project, "view": view, "lane": lane, "state": state}
    return found.filter(**{name: value for name, value in wanted.items() if value})


def list_runs(
    project: str,
    *,
    view: str | None = None,
    lane: str | None = None,
    states: Collection[RunState] = (),
    before: int | None = None,
    limit: int = 50,
) -> list[RunRecord]:
    """Return the newest runs of a project, in any of ``states`` (none: all), older than the id ``before``."""
    found = runs(None, project=project, view=view, lane=lane)
    if states:
        found = found.filter(state__in=states)
    if before is not None:
        found = found.filter(pk__lt=before)
    return [run_record(run) for run in found.order_by("-id")[:limit]]


def batches_lately(project: str, *, since: datetime, limit: int = 500) -> Batches:
    """Return, in one query, the batch runs of a project at work, and the newest that succeeded since then."""
    batches = IngestionRun.objects.filter(project=project, lane=Lane.BATCH)
    running = batches.filter(state=RunState.RUNNING).order_by("-id").values("pk")[:limit]
    ended = batches.filter(state=RunState.SUCCEEDED, ended_at__gte=since).order_by("-ended_at")
    asked = Q(pk__in=running) | Q(pk__in=ended.values("pk")[:limit])
    found = [run_record(run) for run in IngestionRun.objects.filter(asked).order_by("-id")]
    good = [run for run in found if run.ended_at is not None]
    return Batches(
        running=[run for run in found if run.state is RunState.RUNNING],
        good=sorted(good, key=lambda run: run.ended_at or since, reverse=True),
    )


def usual_times(project: str, views: Collection[str]) -> dict[str, timedelta]:
    """Return the median time of the last good batch runs of each view; views without one are left out.

    Other lanes have no such time: a direct run lasts its minute, a stream run until it is rolled over.
    """
    found = IngestionRun.objects.filter(
        project=project, view__in=views, lane=Lane.BATCH, state=RunState.SUCCEEDED
    )
    seconds: dict[str, list[float]] = {}
    for run in found.only("view", "started_at", "ended_at").order_by("-id")[:_RUNS_FOR_USUAL]:
        if run.started_at is not None and run.ended_at is not None:
            seconds.setdefault(run.view, []).append((run.ended_at - run.started_at).total_seconds())
    return {view: timedelta(seconds=median(took[:_USUAL_OF])) for view, took in seconds.items()}


def latest_runs(view_ids: Collection[int]) -> dict[str, RunRecord]:
    """Return, by name, the newest run of each view that has begun or ended, whatever its lane."""
    begun = IngestionRun.objects.filter(view_id=OuterRef("view_id"), lane=OuterRef("lane"))
    newest = begun.exclude(run_number=None).order_by("-id").values("pk")[:1]
    lasts = LaneState.objects.filter(view_id__in=view_ids).annotate(last=Subquery(newest)).values("last")
    return {run.view: run_record(run) for run in IngestionRun.objects.filter(pk__in=lasts).order_by("pk")}


def previous_good_run(run: RunRecord) -> RunRecord | None:
    """Return the newest run of the same lane before ``run`` that succeeded."""
    found = IngestionRun.objects.filter(
        view_id=run.view_id, lane=run.lane, state=RunState.SUCCEEDED, pk__lt=run.id
    )
    before = found.order_by("-id").first()
    return None if before is None else run_record(before)


def failures_like(run: RunRecord, *, since: datetime) -> int:
    """Return how many runs of the same lane failed with the same code since then, ``run`` included."""
    code = (run.error or {}).get("code")
    found = IngestionRun.objects.filter(view_id=run.view_id, lane=run.lane, state=RunState.FAILED)
    return found.filter(ended_at__gte=since, error__code=code).count()


def last_event(run_id: int) -> str | None:
    """Return the last OpenLineage event of a run as JSON, None before the first."""
    moves = RunTransition.objects.filter(run=run_id).exclude(event="")
    last = moves.order_by("-sequence").first()
    return None if last is None else Serde.to_json(build_event(last.event, at=last.at, facts=last.facts))


def find_run(run_id: int) -> RunRecord:
    """Return a run; ``NotFound`` when there is none."""
    return run_record(get_run(run_id))


def get_run(run_id: int) -> IngestionRun:
    """Return the run's row, for services; ``NotFound`` when there is none."""
    run = IngestionRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound("not_found", f"There is no run {run_id}, or you may not know of it.")
    return run


def latest_run(
    project: str, view: str, lane: Lane | str, *, state: RunState | None = None
) -> RunRecord | None:
    """Return the newest run of a lane that has begun or ended (in ``state``, if given), None without one."""
    found = IngestionRun.objects.filter(project=project, view=view, lane=lane)
    found = found.exclude(run_number=None) if state is None else found.filter(state=state)
    run = found.order_by("-id").first()
    return None if run is None else run_record(run)


def lane_watermarks(project: str, view: str) -> dict[Lane, int]:
    """Return each lane's watermark in microseconds since 1970; lanes without one are left out."""
    states = LaneState.objects.filter(project=project, view=view).exclude(watermark_us=None)
    return {Lane(state.lane): state.watermark_us for state in states if state.watermark_us is not None}


def lanes(project: str, view: str) -> list[LaneRecord]:
    """Return what is remembered of each lane of a view."""
    return [
        LaneRecord(
            Lane(state.lane), state.generation, state.watermark_us, state.next_due_at, state.gap or None
        )
        for state in LaneState.objects.filter(project=project, view=view, is_active=True).order_by("lane")
    ]


def runs_of_view(view_id: int, *, since: datetime, limit: int = 100) -> list[RunRecord]:
    """Return the batch runs of a view that ended since then, and each lane's last, the newest first."""
    begun = IngestionRun.objects.filter(view_id=view_id, lane=OuterRef("lane"))
    newest = begun.exclude(run_number=None).order_by("-id").values("pk")[:1]
    lasts = LaneState.objects.filter(view_id=view_id).annotate(last=Subquery(newest)).values("last")
    found = IngestionRun.objects.filter(
        Q(pk__in=lasts) | Q(view_id=view_id, lane=Lane.BATCH, ended_at__gte=since)
    )
    return [run_record(run) for run in found.order_by("-id")[:limit]]


def refused_rows(
    projects: frozenset[str] | None, *, project: str, view: str | None = None, run_id: int | None = None
) -> QuerySet[RefusedRow]:
    """Return refused rows that were not redriven, for paging."""
    found = RefusedRow.objects.filter(project=project, redriven_at=None)
    if projects is not None:
        found = found.filter(project__in=projects)
    wanted = {"view": view, "run_id": run_id}
    return found.filter(**{name: value for name, value in wanted.items() if value})


def savings(project: str, *, since: datetime) -> list[dict[str, Any]]:
    """Return, by view, what succeeded batch runs since then did and did not have to do."""
    found = IngestionRun.objects.filter(
        project=project, lane=Lane.BATCH, state=RunState.SUCCEEDED, ended_at__gte=since
    )
    totals: dict[str, dict[str, Any]] = {}
    for view, ledger in found.order_by("view", "pk").values_list("view", "ledger").iterator(chunk_size=500):
        total = totals.setdefault(view, {"view": view, "runs": 0, "seconds": {}})
        total["runs"] += 1
        for name, amount in ledger.items():
            if name == "seconds":
                for phase, seconds in amount.items():
                    total["seconds"][phase] = round(total["seconds"].get(phase, 0) + seconds, 3)
            else:
                total[name] = total.get(name, 0) + amount
    return list(totals.values())


def run_record(run: IngestionRun) -> RunRecord:
    """Return the plain record of a row."""
    return RunRecord(
        id=run.pk,
        project=run.project,
        view_id=run.view_id,
        view=run.view,
        lane=Lane(run.lane),
        state=RunState(run.state),
        phase=run.phase,
        progress_done=run.progress_done,
        progress_total=run.progress_total,
        counts=run.counts,
        watermark_before_us=run.watermark_before_us,
        watermark_after_us=run.watermark_after_us,
        hollow=run.hollow or None,
        hold_reason=run.hold_reason or None,
        scheduled_for=run.scheduled_for,
        queued_at=run.queued_at,
        due_at=run.due_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        error=run.error,
        openlineage_run_id=run.openlineage_run_id,
        run_number=run.run_number,
        is_full=run.is_full,
        contract_number=run.contract_number,
        requested_by=run.requested_by,
        worker=run.worker,
        ledger=run.ledger,
    )
