"""Health told to lineage, which draws graphs and finds causes from its own tables alone."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from lineage.domain import naming
from lineage.services.states import record_state
from monitors.domain import health
from monitors.domain.health import HealthState
from monitors.domain.kinds import Kind
from monitors.domain.states import State
from monitors.models import ViewWatch
from monitors.selectors.health import health_of
from monitors.selectors.stored import config_of
from monitors.services.measuring import last_as_of


def tell_lineage(watches: Iterable[int], *, now: datetime) -> None:
    """Tell the health of views, and whether their batch runs come when they are due.

    Each state is believed for as long as health itself would be without another evaluation.
    """
    rows = ViewWatch.objects.filter(pk__in=list(watches)).prefetch_related("monitors")
    for watch in rows:
        found = health_of(watch, now=now)
        patience = _patience(watch)
        if watch.told_state == found.state and watch.told_at and now - watch.told_at < patience / 3:
            continue
        record_state(
            naming.view(watch.project, watch.view).id,
            state=found.state.value,
            at=found.since if found.since and watch.told_state != found.state else now,
            detail=found.reason,
            as_of=last_as_of(watch),
            valid_until=now + patience,
        )
        _tell_schedule(watch, now=now, valid_until=now + patience)
        ViewWatch.objects.filter(pk=watch.pk).update(told_state=found.state.value, told_at=now)


def _tell_schedule(watch: ViewWatch, *, now: datetime, valid_until: datetime) -> None:
    monitor = next((row for row in watch.monitors.all() if row.kind == Kind.SCHEDULE), None)
    if monitor is None or monitor.state not in (State.OK, State.BREACH):
        return
    record_state(
        naming.lane_job(watch.project, watch.view, "batch").id,
        state=(HealthState.LATE if monitor.state == State.BREACH else HealthState.FRESH).value,
        at=monitor.since or now,
        detail=monitor.reason,
        valid_until=valid_until,
    )


def _patience(watch: ViewWatch) -> timedelta:
    intervals = [config_of(row).timing.interval for row in watch.monitors.all()]
    longest = max([timedelta(seconds=2), *intervals])
    return health.BLIND_INTERVALS * longest
