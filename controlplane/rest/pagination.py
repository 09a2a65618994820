"""Keyset pages: a cursor names the last row that was seen, so rows that come meanwhile shift nothing."""

import base64
import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import IntegerField, Model, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.kernel.errors import Refused
from controlplane.rest.addresses import LARGEST_ID
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
        is_number = isinstance(rows.model._meta.get_field(column), IntegerField)
        last = _decode(cursor, kind=int if is_number else str)
        rows = rows.filter(**{f"{column}__{'lt' if falling else 'gt'}": last})
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


def _decode(cursor: str, *, kind: type[int | str]) -> int | str:
    """Return what was seen last; ``Refused`` for what no list of this kind could have given."""
    try:
        value = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        value = None
    if type(value) is kind and (isinstance(value, str) or 0 <= value <= LARGEST_ID):
        return value
    raise Refused("bad_value", "cursor is none that this list gave")
