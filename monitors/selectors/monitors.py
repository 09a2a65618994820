"""Monitors as rows, for lists."""

from datetime import datetime

from django.db.models import QuerySet

from monitors.domain.states import State, is_overdue
from monitors.models import Monitor
from monitors.selectors.stored import config_of


def monitors_of(project: str, *, view: str | None = None) -> QuerySet[Monitor]:
    """Return the monitors of a project, or of one view."""
    rows = Monitor.objects.filter(project=project)
    return rows if view is None else rows.filter(view=view)


def state_now(monitor: Monitor, *, now: datetime) -> State:
    """Return the state as it can be told at ``now``: unknown when nobody looked; a breach outlives that."""
    state = State(monitor.state)
    if state is State.BREACH or monitor.paused:
        return state
    overdue = is_overdue(config_of(monitor).timing, monitor.evaluated_at or monitor.created_at, now=now)
    return State.UNKNOWN if overdue else state
