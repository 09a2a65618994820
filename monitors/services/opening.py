"""A breach opens, joins or reopens an incident: under the project's lock, in the monitor's transaction."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lineage.domain import naming
from monitors.domain import folding, incidents
from monitors.domain.folding import Cause, Confidence
from monitors.domain.incidents import Family, IncidentState, Placement, Severity
from monitors.domain.kinds import KINDS, Kind, Unit
from monitors.domain.states import Change
from monitors.models import OPEN, Evidence, Incident, Monitor
from monitors.services import announcing
from monitors.services.fold_rows import adopt, cause_document, open_records
from monitors.services.timeline import tell


@dataclass(frozen=True, slots=True)
class Breach:
    """A monitor that went into breach, with everything upstream that explains it."""

    monitor: Monitor
    change: Change
    causes: Sequence[Cause]
    as_of: datetime | None

    @property
    def family(self) -> Family:
        return KINDS[Kind(self.monitor.kind)].family

    @property
    def subject(self) -> str:
        monitor = self.monitor
        if monitor.service:
            return naming.NodeRef(naming.Kind.SERVICE, monitor.project, monitor.service).id
        return naming.view(monitor.project, monitor.view).id

    @property
    def fingerprint(self) -> str:
        return incidents.fingerprint(project=self.monitor.project, subject=self.subject, family=self.family)


def record_breach(breach: Breach, *, now: datetime) -> Incident:
    """Place the breach; return the incident that carries it."""
    of_fingerprint = Incident.objects.filter(fingerprint=breach.fingerprint)
    current = of_fingerprint.filter(state__in=OPEN).first()
    last = of_fingerprint.filter(state=IncidentState.RESOLVED).order_by("-resolved_at").first()
    placement = incidents.place(
        has_open=current is not None, last_resolved_at=last.resolved_at if last else None, now=now
    )
    incident = {
        Placement.ATTACH: lambda: _attach(current, breach, now=now),
        Placement.REOPEN: lambda: _reopen(last, breach, now=now),
        Placement.OPEN: lambda: _open(breach, now=now),
    }[placement]()
    Evidence.objects.get_or_create(incident=incident, monitor=breach.monitor)
    return incident


def severity_of(monitor: Monitor) -> Severity:
    """Return how bad a breach of the monitor is."""
    watch = monitor.watch
    return incidents.severity_of(
        KINDS[Kind(monitor.kind)].family,
        is_gold=watch.tier == "gold",
        has_rejecting_service=watch.has_rejecting_service,
    )


def _open(breach: Breach, *, now: datetime) -> Incident:
    monitor = breach.monitor
    cause, others = folding.choose(breach.causes, family=breach.family)
    placed = folding.fold(cause, others, open_records(monitor.project))
    is_sure = cause is not None and cause.confidence is Confidence.HIGH
    incident = Incident.objects.create(
        project=monitor.project,
        fingerprint=breach.fingerprint,
        dedup_key=f"freshline-{uuid.uuid4().hex}",
        subject=breach.subject,
        view=monitor.view,
        family=breach.family.value,
        kind=cause.kind.value if cause and is_sure else monitor.kind,
        severity=severity_of(monitor).value,
        owner=monitor.watch.owner,
        tier=monitor.watch.tier,
        summary=breach.change.reason,
        cause=cause_document(cause),
        cause_node=cause.node if cause and is_sure else "",
        other_causes=[cause_document(other) for other in others],
        cause_due_at=None if is_sure else now,
        parent_id=placed.parent,
        opened_at=now,
        bad_since=breach.change.at,
        as_of=breach.as_of,
    )
    tell(incident, "opened", f"{monitor.kind}: {breach.change.reason}", now=now)
    _announce_opening(incident, now=now)
    return incident


def _announce_opening(incident: Incident, *, now: datetime) -> None:
    if incident.parent is None:
        announcing.announce_trigger(incident, now=now)
        return
    adopt(incident.parent, incident, now=now)


def _attach(incident: Incident | None, breach: Breach, *, now: datetime) -> Incident:
    assert incident is not None
    # How bad it is stays said: that a run had no effect, or did not start, says less than an age.
    if KINDS[Kind(breach.monitor.kind)].unit is not Unit.EVENT:
        Incident.objects.filter(pk=incident.pk).update(summary=breach.change.reason)
    tell(incident, "attached", f"{breach.monitor.kind}: {breach.change.reason}", now=now)
    return incident


def _reopen(incident: Incident | None, breach: Breach, *, now: datetime) -> Incident:
    """Open it again under whatever explains it now: what it was folded under may be over."""
    assert incident is not None
    cause, others = folding.choose(breach.causes, family=breach.family)
    others_open = [one for one in open_records(incident.project) if one.number != incident.number]
    is_sure = cause is not None and cause.confidence is Confidence.HIGH
    incident.state = IncidentState.OPEN.value
    incident.parent_id = folding.fold(cause, others, others_open).parent
    incident.cause = cause_document(cause)
    incident.cause_node = cause.node if cause and is_sure else ""
    incident.kind = cause.kind.value if cause and is_sure else breach.monitor.kind
    incident.other_causes = [cause_document(other) for other in others]
    incident.cause_due_at = None if is_sure else now
    incident.alone_at = None
    incident.summary = breach.change.reason
    incident.bad_since = breach.change.at
    incident.as_of = breach.as_of
    incident.resolved_at = incident.acknowledged_at = None
    incident.resolution = incident.acknowledged_by = ""
    incident.save()
    Evidence.objects.filter(incident=incident).delete()
    tell(incident, "reopened", f"{breach.monitor.kind}: {breach.change.reason}", now=now)
    if incident.parent is None:
        announcing.announce_again(incident, now=now)
    else:
        adopt(incident.parent, incident, now=now)
    return incident
