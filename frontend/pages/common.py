"""What every page does: who looks, may they, what stands around the page, and errors as pages."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from controlplane.accounts.auth import Principal, Role, principal_of
from controlplane.kernel import clock
from controlplane.kernel.errors import Forbidden, FreshlineError, NotFound, Unauthenticated
from controlplane.rest.problems import status_of
from frontend import assets
from frontend.pages import preferences
from frontend.readers.once import one_page
from frontend.readers.shell import known_projects, read_shell
from frontend.records.shell import Shell

LAST_PROJECT = "freshline_project"
_TITLES = {
    403: "Not allowed",
    404: "Not found",
    405: "Only by its form",
    409: "Not now",
    503: "Does not answer",
}

Page = Callable[..., HttpResponse]


def page(*, role: Role = Role.VIEWER, post_role: Role | None = None) -> Callable[[Page], Page]:
    """Wrap ``view(request, principal, ...)``: sign-in first, then the role in the project of the address.

    ``post_role`` is what a POST needs where that is more. Errors of the family become pages.
    """

    def wrap(view: Page) -> Page:
        @wraps(view)
        @one_page()
        def guarded(request: HttpRequest, **parts: Any) -> HttpResponse:
            principal = principal_of(request)
            if principal is None:
                return _to_sign_in(request)
            needed = post_role or role if request.method == "POST" else role
            project = parts.get("project", "")
            try:
                if project:
                    require(principal, project, needed)
                response = view(request, principal, **parts)
            except FreshlineError as error:
                return error_page(request, error, principal=principal, project=project)
            if project and request.COOKIES.get(LAST_PROJECT) != project:
                response.set_cookie(LAST_PROJECT, project, max_age=31_536_000, httponly=True, samesite="Lax")
            return response

        return guarded

    return wrap


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Ask who looks, then lead back: to this page, or to the page whose form was sent and is lost."""
    onward = request.get_full_path()
    if request.method not in ("GET", "HEAD"):
        came_from = urlsplit(request.headers.get("Referer", ""))
        onward = came_from.path if came_from.netloc == request.get_host() else "/"
    return HttpResponseRedirect(f"/sign-in?{urlencode({'next': onward})}")


def require(principal: Principal, project: str, role: Role) -> None:
    """Refuse with NotFound outside one's projects, with Forbidden below ``role`` in them."""
    held = principal.role_in(project)
    if held is None or (principal.is_installation_admin and project not in known_projects(principal)):
        raise NotFound("not_found", f"There is no project {project!r}, or you may not know of it.")
    if held < role:
        raise Forbidden(
            "forbidden", f"This needs the role {role.word!r} in project {project!r}; yours is {held.word!r}."
        )


def show(
    request: HttpRequest,
    template: str,
    record: object,
    *,
    principal: Principal | None = None,
    project: str = "",
    active: str = "",
    status: int = 200,
    **extra: object,
) -> HttpResponse:
    """Render ``record`` inside the shell. A GET whose records have not changed answers 304 unrendered."""
    shell = shell_of(request, principal, project)
    etag = _etag(request, shell, record, extra)
    flashes = messages.get_messages(request)
    revalidates = request.method == "GET" and status == 200 and not len(flashes)
    if revalidates and request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    context = {"page": record, "shell": shell, "active": active, **extra}
    response = render(request, f"frontend/{template}", context, status=status)
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie"])
    if revalidates:
        response["ETag"] = etag
    return response


def shell_of(request: HttpRequest, principal: Principal | None, project: str) -> Shell:
    """Return what stands around the page; nobody signed in gets an empty one."""
    wishes = preferences.read(request.COOKIES.get(preferences.COOKIE, ""))
    if principal is None:
        return Shell(preferences=wishes)
    chosen = project or request.COOKIES.get(LAST_PROJECT, "")
    return read_shell(principal, project=chosen, preferences=wishes, now=clock.now())


def _etag(request: HttpRequest, *parts: object) -> str:
    # Records are frozen dataclasses: their repr says everything the template can show. The session key
    # stands for the person and for the CSRF secret inside forms.
    seed = repr(
        (
            request.path,
            request.COOKIES.get("freshline_csrf", ""),
            request.session.session_key,
            assets.VERSION,
            parts,
        )
    )
    return f'W/"{hashlib.sha256(seed.encode()).hexdigest()[:32]}"'


def error_page(
    request: HttpRequest,
    error: FreshlineError,
    *,
    principal: Principal | None = None,
    project: str = "",
    status: int | None = None,
) -> HttpResponse:
    """Tell an error: what happened, why, what to do; with the request id. ``status`` beats the error's."""
    if isinstance(error, Unauthenticated):
        return _to_sign_in(request)
    status = status or status_of(error)
    known = project if principal is not None and project and principal.role_in(project) else ""
    context = {
        "title": _TITLES.get(status, "Refused"),
        "detail": error.detail,
        "near": getattr(error, "near", ()),
        "request_id": getattr(request, "request_id", ""),
        "shell": shell_of(request, principal, known),
    }
    return render(request, "frontend/error.html", context, status=status)


def back(request: HttpRequest, address: str, text: str, *, failed: bool = False) -> HttpResponse:
    """Return to ``address`` after a form was posted, with one sentence about how it went."""
    (messages.error if failed else messages.success)(request, text)
    return HttpResponseRedirect(address)


def safe_next(address: str) -> str:
    """Return ``address`` if it is a path of ours, else Home: a sign-in link must not lead elsewhere."""
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and "\n" not in address
    return address if plain else "/"


def node_part(node: str) -> str:
    """Percent-encode a lineage node id for an address."""
    return quote(node, safe="")


def number_of(text: str, default: int) -> int:
    """Return the number that an address holds, or ``default`` for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else default
