"""Silences: set one, end one. They are listed beside the channels that they keep quiet."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from controlplane.accounts.auth import Principal, address_of
from controlplane.kernel import clock
from controlplane.kernel.errors import NotFound, Refused
from frontend.pages.channels import ADDRESS
from frontend.pages.common import back, page
from frontend.pages.silencing import span_of
from monitors.api.guard import OPERATE, READ, require
from monitors.services import silences as service


@require_POST
@page()
def silences(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Silence a project from now on, or what in it matches one more label."""
    form, now = request.POST, clock.now()
    project, value = form.get("project", ""), form.get("value", "").strip()
    require(principal, OPERATE, project, what=f"project {project!r}")
    matchers = [{"label": "project", "op": "=", "value": project}] if project else []
    if value:
        matchers.append({"label": form.get("label", ""), "op": form.get("op", "="), "value": value})
    try:
        made = service.create_silence(
            matchers=matchers,
            starts_at=now,
            ends_at=now + span_of(form.get("for", "")),
            reason=form.get("reason", ""),
            actor=principal.name,
            now=now,
            address=address_of(request),
        )
    except Refused as refused:
        return back(request, ADDRESS, refused.detail, failed=True)
    return back(request, ADDRESS, f"Silenced until {made.ends_at:%Y-%m-%d %H:%M} UTC.")


@require_POST
@page()
def silence_action(request: HttpRequest, principal: Principal, *, id: int, action: str) -> HttpResponse:
    """End a silence now; what it held back is judged again."""
    row = service.find(id)
    for access in (READ, OPERATE):
        require(principal, access, row.project, what=f"silence {id}")
    if action != "end":
        raise NotFound("not_found", f"A silence cannot be asked to {action}.")
    service.end_silence(id, actor=principal.name, now=clock.now(), address=address_of(request))
    return back(request, ADDRESS, "The silence is over. What it held back is sent if it still matters.")
