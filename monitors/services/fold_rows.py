"""Roots and children as rows: reading them for the domain, and moving one under another."""

from collections.abc import Mapping
from datetime import datetime

from controlplane.rest.serialize import instant
from monitors.domain.folding import Cause, OpenIncident
from monitors.domain.incidents import SEVERITY_ORDER, Family, Severity
from monitors.models import OPEN, Incident
from monitors.services import announcing
from monitors.services.timeline import tell


def open_records(project: str) -> list[OpenIncident]:
    """Return the project's open incidents as folding reads them."""
    rows = Incident.objects.filter(project=project, state__in=OPEN).order_by("number")
    return [
        OpenIncident(
            number=row.number,
            family=Family(row.family),
            cause_node=row.cause_node or None,
            parent=row.parent_id,
            notified=row.sequence > 0,
        )
        for row in rows
    ]


def adopt(root: Incident, child: Incident, *, now: datetime) -> None:
    """Note that ``child`` belongs to ``root``; the root takes on the labels of a worse child."""
    assert root.parent_id is None, "depth is one"
    tell(root, "child", f"{child.view or child.subject}: {child.summary}", now=now)
    tell(child, "linked", f"belongs to INC-{root.number}", now=now)
    if SEVERITY_ORDER[Severity(child.severity)] < SEVERITY_ORDER[Severity(root.severity)]:
        root.severity, root.owner, root.tier = child.severity, child.owner, child.tier
        root.save(update_fields=["severity", "owner", "tier"])
        tell(root, "worse", f"now {root.severity}, as {child.view or child.subject} is", now=now)
        announcing.announce_trigger(root, now=now)
    announcing.announce_link(child, root, now=now)


def place_under(root: Incident, child: Incident, *, now: datetime) -> None:
    """Make ``child``, and the children that it had, children of ``root``."""
    for grandchild in Incident.objects.filter(parent=child, state__in=OPEN):
        Incident.objects.filter(pk=grandchild.pk).update(parent=root)
        tell(grandchild, "linked", f"belongs to INC-{root.number}", now=now)
    child.parent, child.alone_at = root, None
    child.save(update_fields=["parent", "alone_at"])
    adopt(root, child, now=now)


def cause_document(cause: Cause | None) -> dict[str, object] | None:
    """Return a cause as the incident keeps and shows it."""
    if cause is None:
        return None
    return {
        "node": cause.node,
        "kind": cause.kind.value,
        "run": cause.run,
        "reason": cause.reason,
        "confidence": cause.confidence.value,
        "since": instant(cause.since),
        "path": list(cause.path),
    }


def cause_line(document: Mapping[str, object]) -> str:
    """Return the cause for a timeline."""
    run = f" (run {document['run']})" if document["run"] else ""
    return f"{document['node']}{run}: {document['reason']}"
