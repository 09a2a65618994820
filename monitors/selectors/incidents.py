"""Incidents as people read them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet

from controlplane.kernel.errors import NotFound
from monitors.domain import titles
from monitors.domain.causes import cause_phrase, project_of_cause
from monitors.domain.incidents import Family
from monitors.domain.notifications import OutboxState
from monitors.models import OPEN, Incident, Notification, TimelineEntry
from monitors.selectors.affected import Affected, Hit, affected_by


@dataclass(frozen=True, slots=True)
class Household:
    """An incident with its children, if it is a root."""

    incident: Incident
    children: tuple[Incident, ...]


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One incident with everything about it."""

    incident: Incident
    children: tuple[Incident, ...]
    affected: Affected
    timeline: tuple[TimelineEntry, ...]
    notifications: tuple[Notification, ...]


@dataclass(frozen=True, slots=True)
class IncidentSummary:
    """An incident in one line. ``cause`` is a phrase, ``cause_node`` its lineage id; "" if unknown.

    ``service``: whose own terms are broken, "" where the view breaks its promise to all.
    ``cause_path``: the nodes from the cause down to the view, as lineage had them.
    """

    number: int
    parent: int | None
    view: str
    service: str
    owner: str
    title: str
    severity: str
    state: str
    opened_at: datetime
    cause: str
    cause_node: str
    acknowledged_by: str
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    cause_path: tuple[str, ...]
    cause_project: str | None

    def known_to(self, readable: Collection[str] | None) -> "IncidentSummary":
        """Return what somebody who may read these projects (None: all) may know of it."""
        if readable is None or self.cause_project is None or self.cause_project in readable:
            return self
        return replace(self, cause="", cause_node="", cause_path=())


@dataclass(frozen=True, slots=True)
class FoundIncident:
    """An incident that a search found."""

    number: int
    project: str
    title: str
    state: str


def open_incidents(project: str) -> list[IncidentSummary]:
    """Return the open incidents of a project, roots and children, oldest first."""
    return _summaries(Incident.objects.filter(project=project, state__in=OPEN))


def lately_of_view(project: str, view: str, *, since: datetime) -> list[IncidentSummary]:
    """Return the open incidents of a project, and those of one view that ended since then, oldest first."""
    lately = Q(view=view, resolved_at__gte=since)
    return _summaries(Incident.objects.filter(Q(state__in=OPEN) | lately, project=project))


def _summaries(rows: QuerySet[Incident]) -> list[IncidentSummary]:
    return [
        IncidentSummary(
            number=row.number,
            parent=row.parent_id,
            view=row.view,
            owner=row.owner,
            service=row.service,
            title=_line(row),
            severity=row.severity,
            state=row.state,
            opened_at=row.opened_at,
            cause=cause_phrase(row.cause),
            cause_node=str((row.cause or {}).get("node") or ""),
            acknowledged_by=row.acknowledged_by,
            acknowledged_at=row.acknowledged_at,
            resolved_at=row.resolved_at,
            cause_path=tuple((row.cause or {}).get("path") or ()),
            cause_project=project_of_cause(row.cause),
        )
        for row in rows.defer("other_causes").order_by("number")
    ]


def _line(row: Incident) -> str:
    return titles.line(Family(row.family), view=row.view, subject=row.subject, summary=row.summary)


def search_incidents(projects: Iterable[str] | None, text: str, *, limit: int) -> list[FoundIncident]:
    """Return roots of ``projects`` (None: all) of that number, or that name ``text``, the newest first."""
    number = text.upper().removeprefix("INC-").lstrip("#")
    told = Q(view__icontains=text) | Q(summary__icontains=text)
    if number.isascii() and number.isdigit() and len(number) <= 18:
        told |= Q(number=int(number))
    rows = Incident.objects.filter(told, parent=None)
    if projects is not None:
        rows = rows.filter(project__in=list(projects))
    return [
        FoundIncident(row.number, row.project, _line(row), row.state)
        for row in rows.order_by("-number")[:limit]
    ]


def incidents(
    projects: Iterable[str] | None, *, states: Iterable[str] | None = None, with_children: bool = False
) -> QuerySet[Incident]:
    """Return the incidents of ``projects`` (None: all); roots alone unless ``with_children``."""
    found = Incident.objects.select_related("parent").annotate(
        open_children=Count("children", filter=Q(children__state__in=OPEN))
    )
    if projects is not None:
        found = found.filter(project__in=list(projects))
    if states is not None:
        found = found.filter(state__in=list(states))
    return found if with_children else found.filter(parent=None)


def open_roots(projects: Iterable[str] | None) -> list[Incident]:
    """Return the open incidents of ``projects`` (None: all) that notify, for matching labels."""
    rows = Incident.objects.filter(parent=None, state__in=OPEN)
    return list(rows if projects is None else rows.filter(project__in=list(projects)))


def find_incident(number: int) -> Incident:
    """Return one incident; ``NotFound`` when there is none."""
    found = Incident.objects.select_related("parent").filter(pk=number).first()
    if found is None:
        raise NotFound("not_found", f"There is no incident INC-{number}, or you may not know of it.")
    return found


def find_household(number: int) -> Household:
    """Return an incident and its children in one query; ``NotFound`` when there is none."""
    rows = Incident.objects.filter(Q(pk=number) | Q(parent=number)).select_related("parent")
    found = {row.pk: row for row in rows.order_by("number")}
    if number not in found:
        raise NotFound("not_found", f"There is no incident INC-{number}, or you may not know of it.")
    incident = found.pop(number)
    return Household(incident, tuple(found.values()))


def incident_page(household: Household, *, now: datetime) -> IncidentPage:
    """Return the incident with its children, consumers, timeline and notifications."""
    incident, children = household.incident, household.children
    hits = [Hit(one.view, one.service) for one in (incident, *children)]
    return IncidentPage(
        incident=incident,
        children=children,
        affected=affected_by(incident.project, hits, now=now),
        timeline=tuple(incident.timeline.order_by("id")),
        notifications=tuple(incident.notifications.select_related("channel").order_by("sequence", "id")),
    )


def open_by_owner(project: str) -> dict[str, int]:
    """Return how many open roots of a project each owner has."""
    rows = Incident.objects.filter(project=project, state__in=OPEN, parent=None).values_list("owner")
    return dict(rows.annotate(count=Count("pk")))


def open_by_severity() -> list[tuple[str, str, int]]:
    """Return how many open roots each project has of each severity."""
    rows = Incident.objects.filter(state__in=OPEN, parent=None).order_by("project", "severity")
    return list(rows.values_list("project", "severity").annotate(count=Count("pk")))


def unsent_notifications() -> QuerySet[Notification]:
    """Return what waits to be sent and that nobody muted, the oldest first."""
    waiting = Notification.objects.filter(state__in=[OutboxState.PENDING, OutboxState.LEASED])
    return waiting.order_by("created_at")


def count_unsent() -> tuple[int, datetime | None]:
    """Return how many notifications wait, and since when the oldest does."""
    found = unsent_notifications().order_by().aggregate(waiting=Count("pk"), oldest=Min("created_at"))
    return found["waiting"], found["oldest"]


def oldest_unsent() -> datetime | None:
    """Return since when the oldest notification waits that nobody muted, None when none does."""
    return unsent_notifications().values_list("created_at", flat=True).first()
