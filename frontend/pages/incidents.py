"""Incidents: the inbox, one of them, and what people do to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from controlplane.accounts.auth import Principal, Role, address_of
from controlplane.kernel import clock
from controlplane.kernel.errors import Conflict, NotFound, Refused
from frontend.pages.common import back, number_of, page, require, show
from frontend.pages.silencing import CHOICES, span_of
from frontend.readers.inbox import read_inbox_page
from frontend.readers.incident import read_incident
from monitors.domain.incidents import Severity
from monitors.selectors.inbox import TABS, Wanted
from monitors.selectors.incidents import find_incident
from monitors.services import incidents, silences

_PREPARED = ("acknowledge", "silence", "resolve")
SEVERITIES = tuple(each.value for each in Severity)


@require_safe
@page()
def incident_list(request: HttpRequest, principal: Principal, *, project: str) -> HttpResponse:
    """Show one tab of the inbox."""
    asked = request.GET
    wanted = Wanted(
        tab=asked["tab"] if asked.get("tab") in TABS else "open",
        severity=asked["severity"] if asked.get("severity") in SEVERITIES else "",
        owner=asked.get("owner", "")[:63],
        before=number_of(asked.get("after", ""), 0) or None,
    )
    record = read_inbox_page(project, principal, wanted, now=clock.now())
    return show(
        request,
        "incident_list.html",
        record,
        principal=principal,
        project=project,
        active="incidents",
        severities=SEVERITIES,
    )


@require_safe
@page()
def incident(request: HttpRequest, principal: Principal, *, project: str, number: int) -> HttpResponse:
    """Show an incident; ``do`` is the action that the button of a message asked for."""
    asked = request.GET.get("do", "")
    record = read_incident(
        project, number, principal, prepared=asked if asked in _PREPARED else "", now=clock.now()
    )
    return show(
        request,
        "incident.html",
        record,
        principal=principal,
        project=project,
        active="incidents",
        silence_choices=CHOICES,
    )


@require_safe
@page()
def incident_anywhere(request: HttpRequest, principal: Principal, *, number: int) -> HttpResponse:
    """Lead from the address in messages, which names no project, to the incident's page."""
    try:
        found = find_incident(number)
        require(principal, found.project, Role.VIEWER)
    except NotFound:
        # One answer for both: the numbers of a foreign project are nobody's business.
        raise NotFound(
            "not_found", f"There is no incident INC-{number}, or you may not know of it."
        ) from None
    query = request.META.get("QUERY_STRING", "")
    address = reverse("incident", kwargs={"project": found.project, "number": number})
    return HttpResponseRedirect(address + (f"?{query}" if query else ""))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks what of which incident."""

    project: str
    number: int
    view: str
    form: Mapping[str, str]
    actor: str
    address: str
    now: datetime


def _acknowledge(asked: _Asked) -> str:
    incidents.acknowledge(asked.number, actor=asked.actor, now=asked.now, address=asked.address)
    return f"INC-{asked.number} is yours. Whoever was told of it hears that you are on it."


def _resolve(asked: _Asked) -> str:
    incidents.resolve(
        asked.number,
        reason=asked.form.get("reason", ""),
        actor=asked.actor,
        now=asked.now,
        address=asked.address,
    )
    return f"INC-{asked.number} is resolved. It opens again if the next check fails."


def _note(asked: _Asked) -> str:
    incidents.note(asked.number, text=asked.form.get("text", ""), actor=asked.actor, now=asked.now)
    return "The note is in the timeline."


def _silence(asked: _Asked) -> str:
    matchers: list[dict[str, object]] = [{"label": "project", "op": "=", "value": asked.project}]
    matchers.append({"label": "view", "op": "=", "value": asked.view})
    if not asked.view:  # about us, not about a view
        matchers.append({"label": "kind", "op": "=", "value": "meta"})
    made = silences.create_silence(
        matchers=matchers,
        starts_at=asked.now,
        ends_at=asked.now + span_of(asked.form.get("for", "")),
        reason=asked.form.get("reason", ""),
        actor=asked.actor,
        now=asked.now,
        address=asked.address,
    )
    return f"Silenced until {made.ends_at:%Y-%m-%d %H:%M} UTC. The incident stays open."


_ACTIONS: Mapping[str, Callable[[_Asked], str]] = {
    "acknowledge": _acknowledge,
    "resolve": _resolve,
    "note": _note,
    "silence": _silence,
}


@require_POST
@page(role=Role.OPERATOR)
def incident_action(
    request: HttpRequest, principal: Principal, *, project: str, number: int, action: str
) -> HttpResponse:
    """Do what the form asks and return to where it stood."""
    found = find_incident(number)
    if found.project != project or action not in _ACTIONS:
        raise NotFound("not_found", f"There is no incident INC-{number} here, or nothing to {action} on it.")
    asked = _Asked(
        project=project,
        number=number,
        view=found.view,
        form={name: str(value) for name, value in request.POST.items()},
        actor=principal.name,
        address=address_of(request),
        now=clock.now(),
    )
    here = _came_from(request, reverse("incident", kwargs={"project": project, "number": number}))
    try:
        return back(request, here, _ACTIONS[action](asked))
    except (Refused, Conflict) as refused:
        return back(request, here, refused.detail, failed=True)


def _came_from(request: HttpRequest, otherwise: str) -> str:
    """Return the page of ours that the form stood on, without an action that is done now."""
    parts = urlsplit(request.headers.get("Referer", ""))
    if parts.netloc != request.get_host() or not parts.path.startswith("/p/") or "do=" in parts.query:
        return otherwise
    return parts.path + (f"?{parts.query}" if parts.query else "")
