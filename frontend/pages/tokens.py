"""API tokens: list, make, revoke."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.accounts.auth import Principal, address_of
from controlplane.accounts.services import tokens as service
from controlplane.kernel import clock
from controlplane.kernel.errors import NotFound, Refused
from frontend.pages.common import back, number_of, page, show
from frontend.readers.settings import read_tokens

_DAYS = (30, 90, 365)


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def tokens(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List tokens; a POST makes one and shows its secret in this answer and never again."""
    now = clock.now()
    if request.method != "POST":
        return show(request, "tokens.html", read_tokens(principal, now=now), principal=principal)
    name, scopes = request.POST.get("name", "").strip(), request.POST.getlist("scope")
    days = number_of(request.POST.get("days", ""), 90)
    errors = [("name", "Give it a name, so that you know later what it is for.")] if not name else []
    errors += [("scopes", "Choose at least one.")] if not scopes else []
    if days not in _DAYS:
        raise Refused("bad_value", "A token made here lives 30, 90 or 365 days.")
    if errors:
        record = read_tokens(principal, now=now, errors=tuple(errors))
        return show(request, "tokens.html", record, principal=principal, status=400)
    made = service.create_token(
        principal,
        name=name,
        scopes=scopes,
        projects=[request.POST.get("project", "*")],
        now=now,
        expires_at=now + timedelta(days=days),
        address=address_of(request),
    )
    record = read_tokens(principal, now=now, secret=made.secret, secret_name=made.name)
    response = show(request, "tokens.html", record, principal=principal)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@page()
def token_action(request: HttpRequest, principal: Principal, *, id: int, action: str) -> HttpResponse:
    """Revoke a token."""
    if action != "revoke":
        raise NotFound("not_found", f"A token cannot be asked to {action}.")
    service.revoke_token(principal, id, now=clock.now(), address=address_of(request))
    return back(request, "/settings/tokens", "The token is revoked. What used it is signed out.")
