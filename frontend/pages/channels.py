"""Channels: list, add, change, send a test, take out of use, delete."""

from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.accounts.auth import Principal, address_of
from controlplane.kernel import clock
from controlplane.kernel.errors import Conflict, FreshlineError, NotFound, Refused
from frontend.pages.common import back, number_of, page, show
from frontend.pages.silencing import CHOICES
from frontend.readers.channels import KINDS, Pairs, read_channels, secret_field, told_test
from frontend.records.settings import SentTest
from monitors.api.guard import ADMINISTER, READ, require
from monitors.domain.routing import ChannelKind
from monitors.domain.silences import LABELS, Op
from monitors.services import channels as service

ADDRESS = "/settings/channels"
_TYPED = ("name", "kind", "project", "team", "fallback")
_SILENCEABLE = tuple(label for label in LABELS if label != "project")


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
@page()
def channels(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List channels and silences; a POST adds a channel and may send a test through it at once."""
    if request.method != "POST":
        editing = number_of(request.GET.get("edit", ""), 0) or None
        return _show(request, principal, editing=editing)
    form = {name: request.POST.get(name, "").strip() for name in (*_TYPED, "secret")}
    require(principal, ADMINISTER, form["project"], what=f"project {form['project']!r}")
    if form["team"]:
        require(principal, ADMINISTER, "", what="team")
    if form["kind"] not in set(ChannelKind):
        raise Refused("bad_value", f"kind is {form['kind']!r}: choose one of {', '.join(ChannelKind)}")
    try:
        row = service.create_channel(
            name=form["name"],
            kind=form["kind"],
            config={secret_field(form["kind"]): form["secret"]},
            fallback=_fallback(principal, form["fallback"]),
            project=form["project"],
            actor=principal.name,
            now=clock.now(),
            address=address_of(request),
        )
    except (Refused, Conflict) as wrong:
        typed = tuple((name, form[name]) for name in _TYPED)
        return _show(request, principal, status=400, form=typed, errors=_errors(wrong))
    if form["team"]:
        service.set_channel_teams(
            row.pk, [form["team"]], actor=principal.name, now=clock.now(), address=address_of(request)
        )
    if request.POST.get("then") == "save":
        return back(request, ADDRESS, f"The channel {row.name} is saved. Nobody knows yet whether it works.")
    return _tested(request, principal, row.pk)


@sensitive_post_parameters("secret")
@require_POST
@page()
def channel_action(request: HttpRequest, principal: Principal, *, id: int, action: str) -> HttpResponse:
    """Change a channel, for those who administer what it serves."""
    row = service.find(id)
    for access in (READ, ADMINISTER):
        require(principal, access, row.project, what=f"channel {id}")
    if action not in _ACTIONS:
        raise NotFound("not_found", f"A channel cannot be asked to {action}.")
    return _ACTIONS[action](request, principal, id)


def _tested(request: HttpRequest, principal: Principal, id: int) -> HttpResponse:
    result = service.test_channel(id, now=clock.now())
    return _show(request, principal, test=told_test(service.find(id).name, result))


def _edited(request: HttpRequest, principal: Principal, id: int) -> HttpResponse:
    """An empty secret keeps the one there is."""
    row, secret = service.find(id), request.POST.get("secret", "").strip()
    try:
        service.edit_channel(
            id,
            config={secret_field(row.kind): secret} if secret else None,
            fallback=_fallback(principal, request.POST.get("fallback", "")),
            actor=principal.name,
            now=clock.now(),
            address=address_of(request),
        )
    except Refused as wrong:
        return _show(request, principal, status=400, errors=_errors(wrong), editing=id)
    if principal.is_installation_admin:
        _set_teams(request, principal, id, request.POST.getlist("teams"))
    return back(request, ADDRESS, f"The channel {row.name} is changed.")


def _disabled(request: HttpRequest, principal: Principal, id: int) -> HttpResponse:
    require(principal, ADMINISTER, "", what="team")
    _set_teams(request, principal, id, [])
    return back(request, ADDRESS, "The channel is out of use: no team's incidents go there any more.")


def _deleted(request: HttpRequest, principal: Principal, id: int) -> HttpResponse:
    name = service.find(id).name
    service.delete_channel(id, actor=principal.name, now=clock.now(), address=address_of(request))
    return back(request, ADDRESS, f"The channel {name} is deleted.")


_ACTIONS: Mapping[str, Callable[[HttpRequest, Principal, int], HttpResponse]] = {
    "test": _tested,
    "edit": _edited,
    "disable": _disabled,
    "delete": _deleted,
}


def _set_teams(request: HttpRequest, principal: Principal, id: int, teams: list[str]) -> None:
    service.set_channel_teams(id, teams, actor=principal.name, now=clock.now(), address=address_of(request))


def _fallback(principal: Principal, text: str) -> int | None:
    number = number_of(text, 0) or None
    if number is not None:
        require(principal, READ, service.find(number).project, what=f"channel {number}")
    return number


def _errors(wrong: FreshlineError) -> Pairs:
    """Say beside which field of the form something is wrong."""
    if isinstance(wrong, Conflict):
        return (("name", wrong.detail),)
    if any(each.path.startswith("config.") for each in wrong.errors):
        return (("secret", "; ".join(each.message for each in wrong.errors)),)
    field, colon, said = wrong.detail.partition(": ")
    return ((field, said),) if colon and field in _TYPED else (("form", wrong.detail),)


def _show(
    request: HttpRequest,
    principal: Principal,
    *,
    status: int = 200,
    form: Pairs = (),
    errors: Pairs = (),
    test: SentTest | None = None,
    editing: int | None = None,
) -> HttpResponse:
    record = read_channels(principal, now=clock.now(), form=form, errors=errors, test=test, editing=editing)
    return show(
        request,
        "channels.html",
        record,
        principal=principal,
        active="channels",
        status=status,
        channel_kinds=KINDS,
        silence_choices=CHOICES,
        silence_labels=_SILENCEABLE,
        silence_ops=tuple(op.value for op in Op),
    )
