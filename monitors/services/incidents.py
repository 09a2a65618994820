"""What people do to incidents."""

from datetime import datetime

from django.db import transaction

from controlplane.accounts.services import audit
from controlplane.kernel.errors import Conflict, NotFound, Refused
from controlplane.kernel.text import visible
from monitors.domain.incidents import IncidentState
from monitors.domain.notifications import Action
from monitors.models import OPEN, Incident
from monitors.services import announcing, closing
from monitors.services.locks import lock_project
from monitors.services.timeline import tell

MAX_NOTE = 1_000


def find(number: int) -> Incident:
    """Return an incident by number; ``NotFound`` when there is none."""
    found = Incident.objects.filter(pk=number).first()
    if found is None:
        raise NotFound("not_found", f"There is no incident INC-{number}, or you may not know of it.")
    return found


@transaction.atomic
def acknowledge(number: int, *, actor: str, now: datetime, address: str = "") -> Incident:
    """Say that somebody is at it. Again changes nothing; ``Conflict`` once it is resolved."""
    incident = _held(number)
    if incident.state == IncidentState.RESOLVED:
        raise Conflict("conflict", f"INC-{number} is resolved already.")
    if incident.state == IncidentState.ACKNOWLEDGED:
        return incident
    incident.state = IncidentState.ACKNOWLEDGED.value
    incident.acknowledged_at, incident.acknowledged_by = now, actor[:120]
    incident.save(update_fields=["state", "acknowledged_at", "acknowledged_by"])
    tell(incident, "acknowledged", "", now=now, actor=actor)
    _audit(incident, "acknowledge", actor=actor, now=now, address=address)
    if incident.parent_id is None:
        announcing.announce_change(incident, Action.ACKNOWLEDGE, now=now, note=f"by {actor}")
    return incident


@transaction.atomic
def resolve(number: int, *, reason: str, actor: str, now: datetime, address: str = "") -> Incident:
    """End an incident by hand; it reopens if the next evaluation fails."""
    reason = visible(reason)
    if not reason:
        raise Refused("bad_value", "reason: say why this is over")
    incident = _held(number)
    if incident.state not in OPEN:
        raise Conflict("conflict", f"INC-{number} is resolved already.")
    closing.rearm(incident)
    closing.close(incident, reason, now=now, actor=actor)
    _audit(incident, "resolve", actor=actor, now=now, address=address)
    return incident


@transaction.atomic
def note(number: int, *, text: str, actor: str, now: datetime) -> Incident:
    """Add a person's words to the timeline."""
    text = visible(text)
    if not text or len(text) > MAX_NOTE:
        raise Refused("bad_value", f"text: write 1 to {MAX_NOTE} characters")
    incident = _held(number)
    tell(incident, "note", text, now=now, actor=actor)
    return incident


def _held(number: int) -> Incident:
    lock_project(find(number).project)
    return find(number)


def _audit(incident: Incident, action: str, *, actor: str, now: datetime, address: str) -> None:
    audit.record(
        actor=actor,
        project=incident.project,
        action=action,
        object_kind="incident",
        object_name=f"INC-{incident.number}",
        after={"state": incident.state, "resolution": incident.resolution},
        now=now,
        address=address,
    )
