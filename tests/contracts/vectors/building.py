"""Words to write contract vectors with; see ``tests/golden/contract_vectors``.

A vector's expectation is reasoned out by a person from docs/reference/contracts.md and spelled here value by
value. Only sums (counts) and the table of verdict -> status are filled in, from a table of their own: nothing
here imports the code under test. Default case: one feature ``x`` of float64, max age 60 s, every action
``null``.
"""

import json
from collections import Counter

S = 1_000_000
NOW = 1_800_000_000 * S
MAX_AGE = 60 * S

STATUSES = {
    "fresh": "PRESENT",
    "null": "NULL_VALUE",
    "missing": "NOT_FOUND",
    "stale": "OUTSIDE_MAX_AGE",
    "invalid": "INVALID",
    "unavailable": "NOT_FOUND",
}
UNAVAILABLE = {"unavailable": True}
CORRUPT = {"corrupt": True}


def feature(name="x", dtype="float64", *, nullable=True, **domain):
    return {"name": name, "dtype": dtype, "nullable": nullable, **domain}


def column(name, dtype):
    return {"name": name, "dtype": dtype}


def view(
    *features,
    max_age=MAX_AGE,
    on_stale="null",
    on_missing="null",
    on_invalid="null",
    enforcement="enforce",
    layout=1,
    layouts=None,
    retired=(),
):
    """A view of the bundle. ``layouts``: number -> columns; by default one that is the features'."""
    features = features or (feature(),)
    columns = [column(each["name"], each["dtype"]) for each in features]
    return {
        "id": 7,
        "contract": 3,
        "enforcement": enforcement,
        "features": list(features),
        "join_keys": [column("key", "string")],
        "lanes": ["batch", "stream", "direct"],
        "layout": layout,
        "layouts": {str(number): columns for number, columns in (layouts or {layout: columns}).items()},
        "retired_features": list(retired),
        "terms": {
            "max_age_us": max_age,
            "on_stale": on_stale,
            "on_missing": on_missing,
            "on_invalid": on_invalid,
        },
        "bins": {},
    }


def row(event=NOW - 10 * S, *, write=None, lane="direct", held=False, tombstone=False, layout=1, **values):
    """A stored row, ten seconds old, written when it happened, unless told otherwise; ``x`` is 1.5."""
    return {
        "event_time_us": event,
        "write_time_us": event if write is None else write,
        "lane": lane,
        "held": held,
        "tombstone": tombstone,
        "layout": layout,
        "values": values or ({} if tombstone else {"x": 1.5}),
    }


def answer(verdict, action, value=None, *, reason=None, also_invalid=False, status=None, name="x"):
    return {
        "name": name,
        "verdict": verdict,
        "status": status or STATUSES[verdict],
        "action": action,
        "value": value,
        "also_invalid": also_invalid,
        "reason": reason,
    }


def fresh(value=1.5, **more):
    return answer("fresh", "serve", value, **more)


def null(**more):
    return answer("null", "serve", **more)


def missing(reason, action="null", value=None, **more):
    return answer("missing", action, value, reason=reason, **more)


def unavailable(action="null", value=None, **more):
    return answer("unavailable", action, value, reason="unavailable", **more)


def stale(action="null", value=None, *, reason="age", **more):
    return answer("stale", action, value, reason=reason, **more)


def invalid(reason, action="null", value=None, **more):
    return answer("invalid", action, value, reason=reason, **more)


def judged(*answers, as_of=NOW - 10 * S, age=10 * S, rejected=False):
    """One expected row: by default of the row that ``row()`` gives."""
    return {"as_of_us": as_of, "age_us": age, "rejected": rejected, "features": list(answers)}


def ageless(*answers, rejected=False):
    """An expected row about which nothing is known: absent, deleted, corrupt, unavailable, no evidence."""
    return judged(*answers, as_of=None, age=None, rejected=rejected)


def case(
    name,
    rows,
    expected,
    *,
    of=None,
    service=None,
    requested=None,
    watermarks=None,
    max_rejected=1.0,
    failed=False,
    rejected_rows=None,
):
    """``rows`` and ``expected`` may be one or a list; ``rejected_rows`` is told where observe hides it."""
    of = of or view()
    rows = rows if isinstance(rows, list) else [rows]
    expected = expected if isinstance(expected, list) else [expected]
    assert len(rows) == len(expected), name
    counts = Counter(each["verdict"] for answered in expected for each in answered["features"])
    if rejected_rows is None:
        rejected_rows = sum(answered["rejected"] for answered in expected)
    return {
        "name": name,
        "now_us": NOW,
        "view": of,
        "service_terms": service or {},
        "requested": requested or [each["name"] for each in of["features"]],
        "watermarks": watermarks or {},
        "max_rejected": max_rejected,
        "rows": rows,
        "expect": {
            "rows": expected,
            "failed": failed,
            "counts": {verdict: counts[verdict] for verdict in STATUSES},
            "rejected_rows": rejected_rows,
        },
    }


def single(name, value, expected, *, of, **more):
    """A case with one young row whose only feature ``x`` has ``value``."""
    return case(name, row(x=value), judged(expected), of=of, **more)


def render(cases):
    """The file: one line for each row and each expected row, so that a diff reads well."""
    return '{"format": 1, "cases": [\n' + ",\n".join(map(_render_case, cases)) + "\n]}\n"


def _render_case(case):
    expect = case["expect"]
    request = ("now_us", "service_terms", "requested", "watermarks", "max_rejected")
    tail = ("failed", "counts", "rejected_rows")
    lines = [
        f' {{"name": {_line(case["name"])},',
        f'  "view": {_line(case["view"])},',
        f"  {_members(case, request)},",
        f'  "rows": [{_lines(case["rows"])}],',
        f'  "expect": {{"rows": [{_lines(expect["rows"])}],',
        f"    {_members(expect, tail)}}}}}",
    ]
    return "\n".join(lines)


def _members(document, keys):
    return ", ".join(f'"{key}": {_line(document[key])}' for key in keys)


def _lines(items):
    return ("\n    " + ",\n    ".join(map(_line, items))) if items else ""


def _line(value):
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
