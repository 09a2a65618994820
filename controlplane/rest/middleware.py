"""What is around every request: its id (in the answer, the log and every problem), and packing."""

import re
import secrets
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

_SHAPE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class RequestIdMiddleware:
    """Take the caller's X-Request-Id when it is harmless, else make one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.headers.get("X-Request-Id", "")
        request_id = asked if _SHAPE.fullmatch(asked) else secrets.token_hex(8)
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class CompressionMiddleware(GZipMiddleware):
    """Compresses answers for who can read that (Django adds random bytes, against guessing from lengths).

    Two kinds stay as they are: what is streamed, since a packer holds small events back until it is full;
    and what has a strong ETag, which promises these very bytes.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the answer, compressed where that may be."""
        if response.streaming or response.get("ETag", "").startswith('"'):
            return response
        return super().process_response(request, response)
