"""What is known of an incident at the moment that a message about it is rendered."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from monitors.domain.incidents import FAMILY_WORDS, Family, Severity
from monitors.domain.messages import CauseText, Story
from monitors.domain.notifications import Action
from monitors.models import OPEN, Incident, ViewWatch
from monitors.selectors.affected import Hit, affected_by


def tell_story(incident: Incident, action: Action, *, note: str, now: datetime) -> Story:
    """Return the incident as a message tells it."""
    children = Incident.objects.filter(parent=incident)
    if incident.state in OPEN:
        children = children.filter(state__in=OPEN)
    family = [incident, *children.only("view", "subject").order_by("number")]
    affected = affected_by(incident.project, [Hit(one.view, one.service) for one in family], now=now)
    watch = ViewWatch.objects.filter(project=incident.project, view=incident.view).first()
    return Story(
        number=incident.number,
        dedup_key=incident.dedup_key,
        action=action,
        project=incident.project,
        view=incident.view,
        subject=incident.subject,
        kind=incident.kind,
        service=incident.service,
        word=FAMILY_WORDS[Family(incident.family)],
        severity=Severity(incident.severity),
        owner=incident.owner,
        how_bad=incident.summary,
        opened_at=incident.opened_at,
        now=now,
        link=link_to(incident.number),
        views=_unique(one.view for one in family),
        cause=_cause(incident),
        services=affected.services,
        models=affected.models,
        lookups_per_minute=affected.lookups_per_minute,
        runbook=watch.runbook if watch else "",
        note=note,
        root_number=incident.parent_id,
    )


def link_to(number: int) -> str:
    """Return the address of the incident's page."""
    return f"{settings.FRESHLINE_PUBLIC_URL.rstrip('/')}/incidents/INC-{number}"


def _cause(incident: Incident) -> CauseText | None:
    cause = incident.cause
    if cause is None:
        return None
    return CauseText(cause["node"], cause["run"], cause["reason"], is_sure=cause["confidence"] == "high")


def _unique(views: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(view for view in views if view))
