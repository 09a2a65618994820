"""Evaluating what is due: claim, measure, step, and open or resolve incidents in the same transaction."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q

from monitors.domain.kinds import KINDS, Kind, measure
from monitors.domain.states import Change, MonitorState, Result, State, next_due, step
from monitors.models import OPEN, Evaluation, Incident, Monitor
from monitors.selectors.stored import config_of, fields_of, state_of
from monitors.services import causes, closing
from monitors.services.beats import beat
from monitors.services.locks import lock_project
from monitors.services.measuring import ViewFacts, gather
from monitors.services.opening import Breach, record_breach
from monitors.services.telling_lineage import tell_lineage


@dataclass(frozen=True, slots=True)
class Judged:
    """A claimed monitor and what its evaluation came to; ``causes`` are known where it breached."""

    monitor: Monitor
    result: Result
    state: MonitorState
    changes: tuple[Change, ...]
    due_at: datetime
    breach: Breach | None

    @property
    def was_applied(self) -> bool:
        return self.state.last_at != self.monitor.last_at


def run_due(*, now: datetime, limit: int = 200) -> int:
    """Evaluate the monitors that are due, at most ``limit``; returns how many."""
    beat("judge", now=now)
    claimed = _claim(now=now, limit=limit)
    by_project: dict[str, list[Monitor]] = defaultdict(list)
    for monitor in claimed:
        by_project[monitor.project].append(monitor)
    for project, monitors in sorted(by_project.items()):
        judged = _judge(monitors, now=now)
        _commit(project, judged, now=now)
        tell_lineage({monitor.watch_id for monitor in monitors}, now=now)
    causes.reconsider(now=now)
    causes.page_the_lonely(now=now)
    return len(claimed)


@transaction.atomic
def _claim(*, now: datetime, limit: int) -> list[Monitor]:
    """Take due monitors. SQLite's transactions exclude each other; PostgreSQL skips what others hold."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = Monitor.objects.filter(free, due_at__lte=now, paused=False, watch__paused=False).order_by("due_at")
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True, of=("self",))
    numbers = list(due.values_list("pk", flat=True)[:limit])
    lease: timedelta = settings.FRESHLINE_LEASE
    Monitor.objects.filter(pk__in=numbers).update(lease_until=now + lease, fence=F("fence") + 1)
    return list(Monitor.objects.filter(pk__in=numbers).select_related("watch").order_by("watch_id", "pk"))


def _judge(monitors: Sequence[Monitor], *, now: datetime) -> list[Judged]:
    """Measure and decide; reads only."""
    by_watch: dict[int, list[Monitor]] = defaultdict(list)
    for monitor in monitors:
        by_watch[monitor.watch_id].append(monitor)
    found: list[Judged] = []
    for of_view in by_watch.values():
        facts = gather(of_view[0].watch, {Kind(monitor.kind) for monitor in of_view}, now=now)
        found.extend(_judge_one(monitor, facts, now=now) for monitor in of_view)
    return found


def _judge_one(monitor: Monitor, facts: ViewFacts, *, now: datetime) -> Judged:
    config = config_of(monitor)
    result = measure(Kind(monitor.kind), config, facts.inputs_of(monitor))
    state, changes = step(config.timing, state_of(monitor), result, now=now)
    breached = next((change for change in changes if change.after is State.BREACH), None)
    return Judged(
        monitor=monitor,
        result=result,
        state=state,
        changes=changes,
        due_at=next_due(config.timing, state, result, now=now),
        breach=None if breached is None else _breach(monitor, breached, facts),
    )


def _breach(monitor: Monitor, change: Change, facts: ViewFacts) -> Breach:
    found = causes.causes_of(
        project=monitor.project,
        view=monitor.view,
        family=KINDS[Kind(monitor.kind)].family,
        as_of=facts.as_of,
        bad_since=change.at,
    )
    return Breach(monitor=monitor, change=change, causes=found, as_of=facts.as_of)


@transaction.atomic
def _commit(project: str, judged: Sequence[Judged], *, now: datetime) -> None:
    """Write states, evaluations and incidents at once: a crash loses all of it or nothing."""
    touched = Incident.objects.filter(project=project, state__in=OPEN).exists()
    if touched or any(one.breach for one in judged):
        lock_project(project)
    kept = [one for one in judged if _store(one, now=now)]
    Evaluation.objects.bulk_create(_evaluation(one) for one in kept if one.was_applied)
    for one in kept:
        if one.breach is not None:
            record_breach(one.breach, now=now)
    if touched:
        closing.settle(_incidents_of(one.monitor for one in kept), now=now)


def _store(one: Judged, *, now: datetime) -> bool:
    """Write the monitor if the claim still holds."""
    monitor = one.monitor
    fields = fields_of(one.state) if one.was_applied else {}
    shown = {"value": one.result.value, "reason": one.result.reason[:300]} if one.was_applied else {}
    return bool(
        Monitor.objects.filter(pk=monitor.pk, fence=monitor.fence).update(
            lease_until=None, due_at=one.due_at, evaluated_at=now, **fields, **shown
        )
    )


def _evaluation(one: Judged) -> Evaluation:
    return Evaluation(
        monitor=one.monitor,
        at=one.state.last_at or one.result.at,
        level=one.result.level.value,
        clear=one.result.clear,
        value=one.result.value,
        reason=one.result.reason[:300],
        state=one.state.state.value,
    )


def _incidents_of(monitors: Iterable[Monitor]) -> list[Incident]:
    numbers = [monitor.pk for monitor in monitors]
    rows = Incident.objects.filter(state__in=OPEN, evidence__monitor__in=numbers)
    return list(rows.select_related("parent").distinct())
