"""Whether two servers give the same answers: every value, status and event time, before anything is timed."""

import json
import urllib.request
from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks.serving_beside_feast.servers import Side
from benchmarks.serving_beside_feast.table import SERVICES, request_body

_AT_ONCE = 100
_SHOWN = 5


def differences(first: Side, second: Side, entities: int) -> tuple[int, list[str]]:
    """Ask both for every service and entity; return how many cells were compared and what differs."""
    compared = 0
    found: list[str] = []
    for service in SERVICES:
        for start in range(0, entities, _AT_ONCE):
            body = request_body(service, range(start, min(start + _AT_ONCE, entities)))
            cells = list(differing_cells(ask(first, body), ask(second, body)))
            compared += sum(count for count, _ in cells)
            found += [f"{service}, entities from {start}: {text}" for _, texts in cells for text in texts]
    return compared, found


def ask(side: Side, body: dict[str, object]) -> dict[str, Any]:
    """Return the answer of a server to Feast's request."""
    request = urllib.request.Request(
        f"http://{side.address}/get-online-features",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)  # type: ignore[no-any-return]  # an object, by Feast's protocol


def differing_cells(first: dict[str, Any], second: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """Yield for each column of two answers how many cells it has and which differ.

    Columns are matched by name: Feast's order changes from process to process.
    """
    left, right = _columns(first), _columns(second)
    for name in sorted(left.keys() | right.keys()):
        if name not in left or name not in right:
            yield 0, [f"column {name} is in one answer only"]
            continue
        yield (
            len(left[name]),
            [
                f"{name}, row {row}: {one!r} and {other!r}"
                for row, (one, other) in enumerate(_pairs(left[name], right[name]))
                if not _same(one, other)
            ],
        )


def shown(found: Iterable[str]) -> str:
    """Return the first differences as text."""
    found = list(found)
    return "\n".join(found[:_SHOWN] + ([f"... {len(found)} in all"] if len(found) > _SHOWN else []))


def _columns(answer: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    names = answer["metadata"]["feature_names"]
    return {
        name: list(zip(column["values"], column["statuses"], column["event_timestamps"], strict=True))
        for name, column in zip(names, answer["results"], strict=True)
    }


def _pairs(left: list[Any], right: list[Any]) -> Iterator[tuple[Any, Any]]:
    longest = max(len(left), len(right))
    yield from zip(
        left + [None] * (longest - len(left)), right + [None] * (longest - len(right)), strict=True
    )


def _same(one: object, other: object) -> bool:
    """Equal, and of equal types: 1 is not 1.0, nor is it true."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other
