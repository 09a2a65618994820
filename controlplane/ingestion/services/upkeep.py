"""What nobody waits for: rows of retired views leave the store, and old refusals are forgotten."""

from datetime import datetime, timedelta

from controlplane.ingestion.domain.runs import RunState
from controlplane.ingestion.manifests import Folders
from controlplane.ingestion.manifests import sweep as sweep_files
from controlplane.ingestion.models import Heartbeat, IngestionRun, LaneState, RefusedRow, TouchedKey
from controlplane.ingestion.services.runs import cancel_run
from controlplane.ingestion.services.store import Stores, forget_layouts, store_names
from controlplane.kernel import clock
from controlplane.kernel.errors import Conflict, Unavailable
from controlplane.registry import selectors as registry
from controlplane.registry.services.views import mark_purged
from store_adapters import Lane

_EXPIRED_AT_ONCE = 10_000
_PURGED_AT_ONCE = 10


def purge_retired(*, stores: Stores, now: datetime) -> int:
    """Remove every row of retired views from their stores; returns how many. A view at work comes later.

    So do those of a store that does not answer, which is asked once; the others' are removed, and then its
    ``Unavailable`` is raised.
    """
    purged, failures = 0, dict[str, Unavailable]()
    for due in registry.views_to_purge(now=now):
        if purged == _PURGED_AT_ONCE:
            break
        if due.store in failures:
            continue
        if not _end_runs(due.view_id, now=now):
            continue
        try:
            stores(due.store).purge_view(due.project, due.name)
        except Unavailable as wrong:
            failures[due.store] = wrong
            continue
        for table in (TouchedKey, Heartbeat, LaneState):
            table.objects.filter(view_id=due.view_id).delete()
        sweep_files(Folders(due.view_id), manifests=[], plans=[], works=[])
        forget_layouts()
        mark_purged(due.view_id)
        purged += 1
    if failures:
        raise next(iter(failures.values()))
    return purged


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


def _end_runs(view_id: int, *, now: datetime) -> bool:
    """Cancel what waits or runs; whether nothing writes any more."""
    # A minute of direct rows ends by itself.
    unfinished = IngestionRun.objects.filter(
        view_id=view_id, state__in=[RunState.QUEUED, RunState.HELD, RunState.RUNNING]
    ).exclude(lane=Lane.DIRECT)
    for run in unfinished:
        try:
            cancel_run(run, now=now)
        except Conflict:  # it ends at this moment
            continue
    return not unfinished.all().exists()
