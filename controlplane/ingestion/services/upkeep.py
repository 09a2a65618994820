"""What is removed: rows of views that retired or moved leave the store, and old refusals are forgotten."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from controlplane.ingestion.domain.runs import RunState
from controlplane.ingestion.manifests import Folders
from controlplane.ingestion.manifests import sweep as sweep_files
from controlplane.ingestion.models import Heartbeat, IngestionRun, LaneState, RefusedRow, TouchedKey
from controlplane.ingestion.services.lanes import restart_lanes
from controlplane.ingestion.services.runs import cancel_run, end_abandoned
from controlplane.ingestion.services.store import Stores, forget_layouts, is_feasts, store_names
from controlplane.kernel import clock
from controlplane.kernel.errors import Conflict, Unavailable
from controlplane.registry import selectors as registry
from controlplane.registry.domain.records import PurgeDue
from controlplane.registry.services.views import mark_purged, put_off_purge
from store_adapters import Lane, Store

_EXPIRED_AT_ONCE = 10_000
_PURGED_AT_ONCE = 10
# How long a worker has a purge for itself: a second one would take rows that were written after the first.
_PURGED_ALONE = timedelta(minutes=5)


def purge_retired(*, stores: Stores, now: datetime) -> int:
    """Remove every row of retired views from their stores; returns how many. A view at work comes later.

    So do those of a store that does not answer, which is asked once; the others' are removed, and then its
    ``Unavailable`` is raised.
    """
    return _purge(stores=stores, now=now, live=False)


def purge_moved(*, stores: Stores, now: datetime) -> int:
    """Remove what views left earlier in the store that they came to; their lanes wait for it. As above."""
    return _purge(stores=stores, now=now, live=True)


def _purge(*, stores: Stores, now: datetime, live: bool) -> int:
    purged, failures = 0, dict[str, Unavailable]()
    for due in registry.views_to_purge(now=now):
        if due.is_live is not live or due.store in failures:
            continue
        if purged == _PURGED_AT_ONCE:
            break
        if not (_end_started(due.view_id, now=now) if live else _end_runs(due.view_id, now=now)):
            continue
        mine = put_off_purge(due, until=now + _PURGED_ALONE)
        if mine is None:
            continue
        try:
            _purge_one(mine, store=None if is_feasts(mine.store) else stores(mine.store))
        except Unavailable as wrong:
            failures[due.store] = wrong
            put_off_purge(mine, until=due.due_at)
            continue
        purged += mark_purged(mine)
    if failures:
        raise next(iter(failures.values()))
    return purged


def _purge_one(due: PurgeDue, *, store: Store | None) -> None:
    """Everything here may be done again, after a kill between any two of its steps. What is Feast's stays."""
    if store:
        store.purge_view(due.project, due.name)
    if due.is_live:
        restart_lanes(due.view_id, due.project, due.name, store=store)
    else:
        for table in (TouchedKey, Heartbeat, LaneState):
            table.objects.filter(view_id=due.view_id).delete()
        sweep_files(Folders(due.view_id), manifests=[], plans=[], works=[])
    forget_layouts()


def forget_old(*, stores: Stores, now: datetime, refused_kept: timedelta) -> None:
    """Delete refused rows past their retention, and rows of every store that have expired.

    A store that does not answer keeps nobody else's rows; its ``Unavailable`` is raised after all.
    """
    RefusedRow.objects.filter(received_at__lt=now - refused_kept).delete()
    failures = []
    for name in store_names():
        try:
            stores(name).sweep_expired(now_us=clock.to_us(now), limit=_EXPIRED_AT_ONCE)
        except Unavailable as wrong:
            failures.append(wrong)
    if failures:
        raise failures[0]


def _end_started(view_id: int, *, now: datetime) -> bool:
    """End what began before a live view moved, with a plan for rows that are in another store or leave now.

    Runs that only wait go on waiting, and so do streams between two drains. Whether nothing writes any more.
    """
    started = IngestionRun.objects.filter(view_id=view_id, lane=Lane.BATCH).exclude(
        state=RunState.QUEUED, plan=""
    )
    draining = IngestionRun.objects.filter(view_id=view_id, lane=Lane.STREAM, lease_until__gt=now)
    return _end(started, now=now) and not draining.filter(state=RunState.RUNNING).exists()


def _end_runs(view_id: int, *, now: datetime) -> bool:
    """Cancel what waits or runs; whether nothing writes any more."""
    # A minute of direct rows ends by itself.
    return _end(IngestionRun.objects.filter(view_id=view_id).exclude(lane=Lane.DIRECT), now=now)


def _end(runs: QuerySet[IngestionRun], *, now: datetime) -> bool:
    """End what nobody holds, and ask the holders of the others to stop.

    A run without a holder is waited for in vain: of a view that is no more, nobody takes one. A stream's is
    that between any two drains, and one whose worker died once its lease is over.
    """
    unfinished = runs.filter(state__in=[RunState.QUEUED, RunState.HELD, RunState.RUNNING])
    for run in unfinished:
        if end_abandoned(run, now=now):
            continue
        try:
            cancel_run(run, now=now)
        except Conflict:  # it ends at this moment
            continue
    return not unfinished.all().exists()
