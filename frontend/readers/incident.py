"""One incident: its cause, whom it hits, who was told, what happened."""

from datetime import datetime, timedelta

from controlplane.accounts.auth import Principal, Role
from controlplane.kernel.errors import NotFound
from frontend.readers import chain
from frontend.readers import incident_words as words
from frontend.records import incidents as records
from frontend.states import severity
from monitors.domain.causes import may_know
from monitors.domain.incidents import OPEN_STATES
from monitors.selectors.health import ViewNow, views_now
from monitors.selectors.incidents import IncidentPage, find_household, incident_page
from monitors.selectors.silences import silence_on, silences_at

MOST_ENTRIES = 100
MOST_VIEWS = 50
_CONSUMERS = {"service": "feature service", "model": "model"}


def read_incident(
    project: str, number: int, principal: Principal, *, prepared: str, now: datetime
) -> records.IncidentPage:
    """Return the page of an incident; ``NotFound`` when the project has none of that number."""
    household = find_household(number)
    if household.incident.project != project:
        raise NotFound("not_found", f"There is no incident INC-{number} in project {project!r}.")
    page = incident_page(household, now=now)
    row, cause = page.incident, page.incident.cause
    readable = principal.readable_projects()
    is_open = row.state in OPEN_STATES
    views = _views_of(page)
    health = views_now(project, {*views, *chain.views_on_the_way(project, cause)}, now=now)
    silence = silence_on(silences_at(now), row, at=now) if is_open else None
    known = may_know(cause, readable)
    symptoms = chain.Symptoms(project, row.view, health, page.affected.consumers, is_open, readable, now)
    shown = sorted(views, key=lambda view: (severity(_state(health.get(view))), view))[:MOST_VIEWS]
    return records.IncidentPage(
        project=project,
        number=number,
        title=words.title_of(row.family, row.view, views, row.summary, service=row.service),
        summary=row.summary,
        severity=row.severity,
        state="silenced" if silence and row.state == "open" else row.state,
        health=_state(health.get(row.view)) if row.view else "",
        kind=row.kind,
        view=row.view,
        node=row.subject,
        owner=row.owner,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
        resolution=row.resolution,
        chain=chain.read_chain(cause, symptoms),
        confidence=str(cause["confidence"]) if cause and known else "",
        reason=words.why_this_cause(cause, views=len(views), is_known=known),
        alternatives=chain.alternatives(row.other_causes, readable=readable),
        consumers=_consumers(page),
        views=tuple(_affected(view, health.get(view)) for view in shown),
        more_views=len(views) - len(shown),
        timeline=_entries(page, knows_cause=known),
        left_out=len(page.timeline) > MOST_ENTRIES,
        messages=_messages(page),
        runbook=health[row.view].runbook if row.view in health else "",
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        silenced_until=silence.ends_at if silence else None,
        silenced_reason=silence.reason if silence else "",
        parent=row.parent_id,
        children=tuple(one.number for one in page.children),
        may_operate=(principal.role_in(project) or 0) >= Role.OPERATOR,
        scope=f"the view {row.view}" if row.view else f"{row.kind} incidents of {project}",
        prepared=prepared,
    )


def _views_of(page: IncidentPage) -> list[str]:
    """Return the views that suffer: of an open incident those that are not well again."""
    children = page.children
    if page.incident.state in OPEN_STATES:
        children = tuple(one for one in children if one.state in OPEN_STATES)
    return [view for view in dict.fromkeys([page.incident.view, *(one.view for one in children)]) if view]


def _state(one: ViewNow | None) -> str:
    return one.health.state.value if one else "no_data"


def _affected(view: str, now: ViewNow | None) -> records.AffectedView:
    return records.AffectedView(
        view, _state(now), _seconds(now.age_s if now else None), _seconds(now.limit_s if now else None)
    )


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def _consumers(page: IncidentPage) -> tuple[records.Consumer, ...]:
    return tuple(
        records.Consumer(
            name=each.name,
            kind=_CONSUMERS[each.kind],
            lookups_per_minute=each.lookups_per_minute or None,
            share=each.bad_share,
            owner=each.owner,
        )
        for each in page.affected.consumers
    )


def _messages(page: IncidentPage) -> tuple[records.Message, ...]:
    return tuple(
        records.Message(
            channel=each.channel.name,
            action=words.ACTIONS[each.action],
            state=words.OUTBOX[each.state],
            at=each.sent_at or each.created_at,
            attempts=each.attempts,
            error=each.error,
        )
        for each in page.notifications[-MOST_ENTRIES:]
    )


def _entries(page: IncidentPage, *, knows_cause: bool) -> tuple[records.TimelineEntry, ...]:
    return tuple(
        records.TimelineEntry(
            at=each.at,
            kind=each.kind,
            text=words.entry_of(each.kind, each.text if knows_cause or each.kind != "cause" else ""),
            actor=each.actor,
            failed=each.kind == "not_sent",
        )
        for each in page.timeline[-MOST_ENTRIES:]
    )
