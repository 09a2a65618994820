"""What is around every request: its id (in answer, log and every problem), packing, and unread bodies."""

import re
import secrets
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

_MOST_UNREAD = 1024 * 1024
_CHUNK = 64 * 1024
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


class UnreadBodyMiddleware:
    """Reads what a refusal left unread of the request's body, so that the connection can be used again.

    The server would cut the connection instead, and the next request on it would fail without an answer. Of a
    large body the rest stays unread: then the answer says that the connection closes.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not _read_to_its_end(request):
            response["Connection"] = "close"
        return response


def _read_to_its_end(request: HttpRequest) -> bool:
    """Read the rest of the body; False when it is too long for that, or its sender is gone."""
    left = _MOST_UNREAD
    try:
        while left > 0:
            found = len(request.read(_CHUNK))
            if not found:
                return True
            left -= found
    except UnreadablePostError:
        pass
    return False


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
