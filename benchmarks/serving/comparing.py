"""Whether a server gives what was written: every value, status and event time, before anything is timed."""

import json
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa

from benchmarks.serving.processes import Side
from benchmarks.serving.table import EVENT_TIME, KEY, SERVICES, request_body

_AT_ONCE = 100
_SHOWN = 5


def differences(side: Side, table: pa.Table) -> tuple[int, list[str]]:
    """Ask for every service and entity; return how many cells were compared and which are not as written."""
    compared = 0
    found: list[str] = []
    for service in SERVICES:
        for start in range(0, table.num_rows, _AT_ONCE):
            rows = table.slice(start, _AT_ONCE)
            answer = ask(side, request_body(service, rows.column(KEY).to_pylist()))
            cells = list(differing_cells(expected_answer(service, rows), answer))
            compared += sum(count for count, _ in cells)
            found += [f"{service}, entities from {start}: {text}" for _, texts in cells for text in texts]
    return compared, found


def expected_answer(service: str, rows: pa.Table) -> dict[str, Any]:
    """Return the answer, in Feast's shape, that gives these rows of the table as they are."""
    times = [_rfc3339(at) for at in rows.column(EVENT_TIME).to_pylist()]
    names = [name for view in SERVICES[service] for name, _ in view.features]
    present = ["PRESENT"] * rows.num_rows
    columns = [(rows.column(KEY).to_pylist(), ["1970-01-01T00:00:00Z"] * rows.num_rows)]
    columns += [(rows.column(name).to_pylist(), times) for name in names]
    return {
        "metadata": {"feature_names": [KEY, *names]},
        "results": [
            {"values": values, "statuses": present, "event_timestamps": times} for values, times in columns
        ],
    }


def _rfc3339(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


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
