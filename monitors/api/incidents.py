"""Incidents: the list, one whole, and what people do to them."""

from collections.abc import Collection
from functools import partial
from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Scope, address_of
from controlplane.kernel import clock
from controlplane.kernel.errors import Refused
from controlplane.rest.pagination import paginate
from controlplane.rest.serialize import Body, WordsField, instant, validated
from monitors.api import examples
from monitors.api.guard import OPERATE, READ, require
from monitors.domain.causes import may_know
from monitors.domain.incidents import IncidentState
from monitors.models import Incident
from monitors.selectors.incidents import (
    IncidentPage,
    find_household,
    find_incident,
    incident_page,
    incidents,
)
from monitors.services import incidents as services

STATES = [state.value for state in IncidentState]
Readable = Collection[str] | None  # projects; None: all


class ReasonRequest(Body):
    """Body of POST /incidents/{n}/resolve."""

    reason = WordsField(max_length=500)


class NoteRequest(Body):
    """Body of POST /incidents/{n}/note."""

    text = WordsField(max_length=1_000)


class IncidentsView(ApiView):
    """The incidents of a project."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(
        summary="List incidents, newest first; children only when asked for",
        parameters=[
            OpenApiParameter("state", str, description="open, acknowledged, resolved; several by comma"),
            OpenApiParameter("children", bool, description="true: children too"),
        ],
        responses={200: dict},
    )
    def get(self, request: ApiRequest, project: str) -> Response:
        asked = request.query_params.get("state")
        states = asked.split(",") if asked and asked != "all" else None
        if states is not None and not set(states) <= set(STATES):
            raise Refused("bad_value", f"state is {asked!r}: write {', '.join(STATES)}, or all")
        with_children = request.query_params.get("children") == "true"
        rows = incidents([project], states=states, with_children=with_children)
        return paginate(
            request,
            rows,
            key="-number",
            render=partial(render_incident, readable=request.principal.readable_projects()),
        )


class IncidentView(ApiView):
    """One incident."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(
        summary="One incident with its cause, children, consumers, timeline, notifications",
        responses={200: dict},
    )
    def get(self, request: ApiRequest, number: int) -> Response:
        household = find_household(number)
        require(request.principal, READ, household.incident.project, what=f"incident INC-{number}")
        page = incident_page(household, now=clock.now())
        return Response(render_page(page, readable=request.principal.readable_projects()))


class AcknowledgeView(ApiView):
    """Somebody is at it."""

    access = {"POST": OPERATE}

    @extend_schema(
        summary="Acknowledge an incident",
        request=None,
        responses={200: dict},
        examples=examples.ACKNOWLEDGED,
    )
    def post(self, request: ApiRequest, number: int) -> Response:
        _require_operator(request, number)
        services.acknowledge(
            number, actor=request.principal.name, now=clock.now(), address=address_of(request)
        )
        return _answer(request, number)


class ResolveView(ApiView):
    """It is over, says a person."""

    access = {"POST": OPERATE}

    @extend_schema(summary="Resolve an incident by hand", request=ReasonRequest, responses={200: dict})
    def post(self, request: ApiRequest, number: int) -> Response:
        _require_operator(request, number)
        body = validated(ReasonRequest, request)
        services.resolve(
            number, **body, actor=request.principal.name, now=clock.now(), address=address_of(request)
        )
        return _answer(request, number)


class NoteView(ApiView):
    """A person's words."""

    access = {"POST": OPERATE}

    @extend_schema(summary="Add a note to an incident", request=NoteRequest, responses={201: dict})
    def post(self, request: ApiRequest, number: int) -> Response:
        _require_operator(request, number)
        body = validated(NoteRequest, request)
        services.note(number, **body, actor=request.principal.name, now=clock.now())
        return _answer(request, number, status=201)


def _require_operator(request: ApiRequest, number: int) -> None:
    incident = find_incident(number)
    require(request.principal, OPERATE, incident.project, what=f"incident INC-{number}")


def _answer(request: ApiRequest, number: int, *, status: int = 200) -> Response:
    readable = request.principal.readable_projects()
    return Response(render_incident(find_incident(number), readable=readable), status=status)


def render_incident(row: Incident, *, readable: Readable) -> dict[str, Any]:
    """Return an incident as a list shows it, to somebody who may read these projects (None: all)."""
    return {
        "number": row.number,
        "name": f"INC-{row.number}",
        "project": row.project,
        "state": row.state,
        "kind": row.kind,
        "family": row.family,
        "severity": row.severity,
        "subject": row.subject,
        "view": row.view or None,
        "service": row.service or None,
        "owner": row.owner or None,
        "summary": row.summary,
        "cause": row.cause if may_know(row.cause, readable) else None,
        "parent": row.parent_id,
        "open_children": getattr(row, "open_children", None),
        "opened_at": instant(row.opened_at),
        "acknowledged_at": instant(row.acknowledged_at),
        "acknowledged_by": row.acknowledged_by or None,
        "resolved_at": instant(row.resolved_at),
        "resolution": row.resolution or None,
    }


def render_page(page: IncidentPage, *, readable: Readable) -> dict[str, Any]:
    """Return an incident whole, to somebody who may read these projects (None: all)."""
    knows_cause = may_know(page.incident.cause, readable)
    return render_incident(page.incident, readable=readable) | {
        "open_children": sum(child.state != IncidentState.RESOLVED for child in page.children),
        "other_causes": [cause for cause in page.incident.other_causes if may_know(cause, readable)],
        "children": [render_incident(child, readable=readable) for child in page.children],
        "affected": {
            "services": list(page.affected.services),
            "models": list(page.affected.models),
            "lookups_per_minute": page.affected.lookups_per_minute,
        },
        "timeline": [
            {"at": instant(e.at), "kind": e.kind, "actor": e.actor or None, "text": e.text}
            for e in page.timeline
            if e.kind != "cause" or knows_cause
        ],
        "notifications": [
            {
                "channel": n.channel.name,
                "action": n.action,
                "state": n.state,
                "attempts": n.attempts,
                "created_at": instant(n.created_at),
                "sent_at": instant(n.sent_at),
                "error": n.error or None,
            }
            for n in page.notifications
        ],
    }


urlpatterns = [
    path("projects/<str:project>/incidents", IncidentsView.as_view()),
    path("incidents/<id:number>", IncidentView.as_view()),
    path("incidents/<id:number>/acknowledge", AcknowledgeView.as_view()),
    path("incidents/<id:number>/resolve", ResolveView.as_view()),
    path("incidents/<id:number>/note", NoteView.as_view()),
]
