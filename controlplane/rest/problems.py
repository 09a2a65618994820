"""Errors as application/problem+json (RFC 9457): one shape for every answer that is not a success."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from controlplane.kernel import errors

CONTENT_TYPE = "application/problem+json"
NO_DATABASE = errors.Unavailable(
    "database_unavailable",
    "The database does not answer. Nothing that was acknowledged is lost; try again in a moment.",
)
STATUS: dict[type[errors.FreshlineError], int] = {
    errors.Refused: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unavailable: 503,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.TooMany: 429,
}
_TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    422: "Refused",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}
_log = structlog.get_logger(__name__)


def body(
    status: int, code: str, detail: str, *, found: tuple[errors.FieldError, ...] = (), request_id: str = ""
) -> dict[str, Any]:
    """Return the problem document."""
    return {
        "type": f"/docs/errors#{code}",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [{"path": e.path, "code": e.code, "message": e.message} for e in found],
        "request_id": request_id,
    }


def status_of(error: errors.FreshlineError) -> int:
    """Return the HTTP status that tells of ``error``. A code may ask for a status of its own."""
    return {"too_large": 413, "bad_json": 400, "unsupported_media_type": 415, "changed_meanwhile": 412}.get(
        error.code, STATUS[type(error)]
    )


def as_ours(error: BaseException | None) -> BaseException | None:
    """Return the error as one of ours, where it is known what it means: a database that does not answer."""
    if isinstance(error, OperationalError | InterfaceError):
        structlog.get_logger().error("database_unavailable", error=str(error).strip())
        return NO_DATABASE
    return error


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Be DRF's exception handler: ours and DRF's errors become problems, others go on to Django's 500."""
    request_id = getattr(context["request"], "request_id", "")
    headers: dict[str, str] = {}
    told = as_ours(error)
    if isinstance(told, errors.FreshlineError):
        error = told
        status, code, detail, found = status_of(error), error.code, error.detail, error.errors
        if isinstance(error, errors.TooMany):
            headers["Retry-After"] = str(error.retry_after_seconds)
    elif isinstance(error, Http404):
        status, code, detail, found = 404, "not_found", "There is nothing at this address.", ()
    elif isinstance(error, PermissionDenied):
        status, code, detail, found = 403, "forbidden", "This is not allowed.", ()
    elif isinstance(error, exceptions.APIException):
        status, code, detail, found = (
            error.status_code,
            _DRF_CODES.get(type(error), "conflict"),
            str(error.detail),
            (),
        )
    else:
        return None
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="freshline"'
    document = body(status, code, detail, found=found, request_id=request_id)
    return Response(document, status=status, headers=headers, content_type=CONTENT_TYPE)


_DRF_CODES: dict[type[exceptions.APIException], str] = {
    exceptions.ParseError: "bad_json",
    exceptions.NotAuthenticated: "unauthenticated",
    exceptions.AuthenticationFailed: "unauthenticated",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "unsupported_media_type",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "rate_limited",
}


def plain(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    """Return a problem outside DRF (unknown addresses under /api, the 500 handler)."""
    request_id = getattr(request, "request_id", "")
    return JsonResponse(
        body(status, code, detail, request_id=request_id), status=status, content_type=CONTENT_TYPE
    )
