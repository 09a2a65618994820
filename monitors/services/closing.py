"""The end of incidents. Called under the project's lock."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from monitors.domain import folding, incidents
from monitors.domain.incidents import Family, IncidentState
from monitors.domain.kinds import Kind
from monitors.domain.states import BLIND, State, rearmed, released
from monitors.models import OPEN, Evidence, Incident, Monitor
from monitors.selectors.stored import config_of, fields_of, state_of
from monitors.services import announcing
from monitors.services.timeline import tell

# Which monitor reads the probes that must be good again before a family's incident is over.
WITNESS = {
    Family.FRESHNESS: Kind.SERVED_AGE,
    Family.PRESENCE: Kind.COVERAGE,
    Family.VALIDITY: Kind.INVALID_RATE,
}
CHILDREN_FIRST = ("parent__isnull", "number")


def settle(incidents_to_check: Iterable[Incident], *, now: datetime) -> list[Incident]:
    """Resolve those of the open incidents given that are over, children before roots; return them."""
    waiting = {incident.pk: incident for incident in incidents_to_check}
    over: list[Incident] = []
    for incident in sorted(waiting.values(), key=lambda one: (one.parent_id is None, one.number)):
        if not _is_over(incident, now=now):
            continue
        close(incident, "every monitor is ok again", now=now)
        over.append(incident)
        parent = incident.parent
        if parent is not None and parent.pk not in waiting and _is_over(parent, now=now):
            close(parent, "every monitor is ok again", now=now)
            over.append(parent)
    return over


def close(incident: Incident, reason: str, *, now: datetime, actor: str = "") -> None:
    """Resolve an open incident; a root tells everybody who was told of it."""
    changed = Incident.objects.filter(pk=incident.pk, state__in=OPEN).update(
        state=IncidentState.RESOLVED, resolved_at=now, resolution=reason[:500], alone_at=None
    )
    if not changed:
        return
    incident.refresh_from_db()
    tell(incident, "resolved", reason, now=now, actor=actor)
    _release(incident)
    if incident.parent_id is None:
        announcing.announce_end(incident, now=now, note=reason)
        _leave_children(incident, now=now)


def rearm(incident: Incident) -> None:
    """Make the monitors of an incident that a person resolved breach again at the next failing result."""
    for monitor in Monitor.objects.filter(evidence__incident=incident, state=State.BREACH):
        state = rearmed(config_of(monitor).timing, state_of(monitor))
        Monitor.objects.filter(pk=monitor.pk).update(**fields_of(state))


def _release(incident: Incident) -> None:
    blind = [state.value for state in BLIND]
    for monitor in Monitor.objects.filter(evidence__incident=incident, state=State.BREACH, level__in=blind):
        Monitor.objects.filter(pk=monitor.pk).update(**fields_of(released(state_of(monitor))))


def _leave_children(root: Incident, *, now: datetime) -> None:
    """Children of a root that ended look for another cause; without one they page themselves, later."""
    for child in Incident.objects.filter(parent=root, state__in=OPEN):
        child.parent = None
        child.cause_node = ""
        child.cause_due_at = now
        child.alone_at = now + folding.grace_of(_interval_of(child))
        child.save(update_fields=["parent", "cause_node", "cause_due_at", "alone_at"])
        tell(child, "left", f"INC-{root.number} ended, this did not", now=now)


def _interval_of(incident: Incident) -> timedelta:
    monitors = Monitor.objects.filter(evidence__incident=incident).select_related("watch")
    return max((config_of(monitor).timing.interval for monitor in monitors), default=timedelta(0))


def _is_over(incident: Incident, *, now: datetime) -> bool:
    if Incident.objects.filter(parent=incident, state__in=OPEN).exists():
        return False
    if incident.family == Family.META:
        return False  # closed by whoever opened it
    monitors = list(Monitor.objects.filter(evidence__incident=incident))
    clear_for = max((config_of(m).timing.clear_for for m in monitors), default=timedelta(0))
    opened = incident.timeline.filter(kind__in=["opened", "reopened"]).values_list("at", flat=True)
    return incidents.may_resolve(
        [_evidence(monitor) for monitor in monitors],
        _witness(incident, monitors),
        clear_for=clear_for,
        flapping=incidents.is_flapping(opened, now=now),
        now=now,
    )


def _witness(incident: Incident, monitors: list[Monitor]) -> incidents.Evidence | None:
    kind = WITNESS[Family(incident.family)]
    watches = {monitor.watch_id for monitor in monitors}
    rows = Monitor.objects.filter(watch__in=watches, kind=kind, service="", paused=False)
    found = [_evidence(row) for row in rows]
    # Of several views the one that is not well decides.
    return min(found, key=lambda one: one.state is State.OK, default=None)


def _evidence(monitor: Monitor) -> incidents.Evidence:
    return incidents.Evidence(State(monitor.state), State(monitor.level), monitor.since)


def close_orphans(project: str, reason: str, *, now: datetime) -> None:
    """Close open incidents that lost their last monitor: their view or monitor is gone."""
    held = Evidence.objects.values("incident")
    rows = Incident.objects.filter(project=project, state__in=OPEN).exclude(family=Family.META.value)
    for incident in sorted(rows.exclude(pk__in=held), key=lambda one: (one.parent_id is None, one.number)):
        if not incident.children.filter(state__in=OPEN).exists():
            close(incident, reason, now=now)
