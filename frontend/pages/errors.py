"""What Django asks for when no page answers."""

import sys
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from controlplane.accounts.auth import principal_of
from controlplane.kernel.codes import CODES
from controlplane.kernel.errors import Forbidden, NotFound, Refused
from controlplane.rest.problems import NO_DATABASE, as_ours, plain, status_of
from frontend.pages.common import error_page, show


@require_safe
def error_codes(request: HttpRequest) -> HttpResponse:
    """What each code of a problem means, for whoever comes: the ``type`` of every problem leads here."""
    return show(request, "error_codes.html", tuple(CODES.items()), principal=principal_of(request))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No address matches."""
    error = NotFound("not_found", f"There is no page at {request.path}.")
    return error_page(request, error, principal=principal_of(request))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django itself refused."""
    error = Forbidden("forbidden", "You may not do this.")
    return error_page(request, error, principal=principal_of(request))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without the secret that proves it is ours; mostly the session ended meanwhile."""
    structlog.get_logger().warning("csrf_refused", path=request.path, reason=reason)
    error = Forbidden(
        "forbidden", "This form has expired. Go back, load the page again and send it once more."
    )
    return error_page(request, error, principal=principal_of(request))


class WrongMethodMiddleware:
    """Django refuses a method with an empty answer; a person who opens a form's address gets a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or request.path.startswith("/api/") or response.content:
            return response
        error = Refused(
            "method_not_allowed", "This address takes what a form sends. Open its page and send it there."
        )
        page = error_page(request, error, principal=principal_of(request), status=405)
        page["Allow"] = response["Allow"]
        return page


def broken(request: HttpRequest) -> HttpResponse:
    """An error that nobody foresaw; the page needs neither database nor session."""
    if as_ours(sys.exc_info()[1]) is NO_DATABASE:
        status, code, title, detail = (
            status_of(NO_DATABASE),
            NO_DATABASE.code,
            "The database does not answer",
            NO_DATABASE.detail,
        )
    else:
        status, code, title = 500, "internal", "Something went wrong on our side"
        detail = "Nothing that was acknowledged is lost. The request id leads to the log."
    if request.path.startswith("/api/"):
        return plain(request, status, code, detail)
    context = {"request_id": getattr(request, "request_id", ""), "title": title, "detail": detail}
    return render(request, "frontend/500.html", context, status=status)
