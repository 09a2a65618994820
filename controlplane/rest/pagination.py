"""Keyset pages: a cursor names the last row that was seen, so rows that come meanwhile shift nothing."""

import base64
import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.kernel.errors import Refused
from controlplane.rest.serialize import read_number

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
M = TypeVar("M", bound=Model)


def read_limit(request: Request) -> int:
    """Return ``?limit=``, 1 to 200, 50 when absent."""
    return read_number(request, "limit", least=1, most=MAX_LIMIT) or DEFAULT_LIMIT


def paginate(
    request: Request, rows: QuerySet[M], *, key: str, render: Callable[[M], dict[str, Any]]
) -> Response:
    """Answer ``{"items": [...], "next": cursor or null}`` by the unique column ``key`` (``-id``: falling)."""
    limit = read_limit(request)
    falling = key.startswith("-")
    column = key.removeprefix("-")
    cursor = request.query_params.get("cursor")
    if cursor:
        try:
            rows = rows.filter(**{f"{column}__{'lt' if falling else 'gt'}": _decode(cursor)})
        except (ValueError, TypeError, ValidationError) as wrong:
            raise Refused("bad_value", "cursor is none that this list gave") from wrong
    page = list(rows.order_by(key)[: limit + 1])
    more = len(page) > limit
    page = page[:limit]
    return Response(
        {
            "items": [render(row) for row in page],
            "next": _encode(getattr(page[-1], column)) if more else None,
        }
    )


def _encode(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, default=str).encode()).decode()


def _decode(cursor: str) -> Any:
    value = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    if not isinstance(value, int | str):
        raise TypeError(cursor)
    return value
