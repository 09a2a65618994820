"""What is in the store during a stress run, and what a slow reference says must be answered.

Every value tells whose it is: the view, the key and the generation of its row, so that a value of another
key, another view or another moment is seen at once.
"""

import hashlib
import json
import zlib
from dataclasses import dataclass

from controlplane.contracts.model import Action
from controlplane.contracts.verdicts import Status, Verdict, judge
from controlplane.kernel.dtypes import Dtype
from store_adapters import Column, Lane, Layout, Row, RowWrite, encode_key, encode_row
from tests.contracts.cases import features_of, fetched_row, terms_of

PROJECT = "stress"
KEYS = 240
DAY_US = 86_400_000_000
FACTS = Layout(1, (Column("who", Dtype.STRING), Column("sum", Dtype.INT64), Column("size", Dtype.FLOAT64)))
PLAIN = Layout(1, (Column("who", Dtype.STRING), Column("sum", Dtype.INT64)))
UNNAMED = Layout(77, PLAIN.columns)  # in no bundle and not in the store: nobody can read its rows
KINDS = ("young", "young", "young", "old", "absent", "buried", "outside", "corrupt", "unreadable", "late")
_TERMS = {"max_age_us": DAY_US, "on_stale": "serve", "on_missing": "null", "on_invalid": "null"}
_FEATURES = [
    {"name": "who", "dtype": "string", "nullable": True, "default": "none"},
    {"name": "sum", "dtype": "int64", "nullable": False, "min": 0, "default": -1},
]
_SIZE = {"name": "size", "dtype": "float64", "nullable": True, "max": 1000, "default": 0.5}


def kind(key: str) -> str:
    return KINDS[int(key.split()[1]) % len(KINDS)]


def keys() -> list[str]:
    return [f"item {number}" for number in range(KEYS)]


def _view(number: int, key: dict, layout: Layout) -> dict:
    return {
        "id": number,
        "contract": number,
        "enforcement": "enforce",
        "features": [*_FEATURES, _SIZE] if layout is FACTS else _FEATURES,
        "join_keys": [key],
        "lanes": ["direct", "batch"],
        "layout": 1,
        "layouts": {"1": [{"dtype": column.dtype, "name": column.name} for column in layout.columns]},
        "retired_features": ["gone"],
        "terms": _TERMS,
        "bins": {},
    }


VIEWS = {
    "facts": _view(1, {"dtype": "string", "name": "item"}, FACTS),
    "marked": _view(2, {"dtype": "string", "name": "item"}, PLAIN),
    "places": _view(3, {"dtype": "int64", "name": "place"}, PLAIN),
}
ASKED = [(view, each["name"]) for view, made in VIEWS.items() for each in made["features"]] + [
    ("facts", "gone")
]


def services(number: int) -> dict:
    """The services of a bundle: swing's terms change from bundle to bundle."""
    swing = {"on_stale": ("null", "default")[number % 2], "on_missing": ("default", "null")[number % 2]}
    terms = {
        "plain": {},
        "defaulting": {"on_stale": "default", "on_missing": "default", "on_invalid": "default"},
        "rejecting": {"on_stale": "reject", "on_missing": "reject"},
        "swing": swing,
    }
    features = [list(pair) for pair in ASKED]
    return {
        name: {"features": features, "max_rejected": 0.5 if name == "rejecting" else 1.0, "terms": own}
        for name, own in terms.items()
    }


def bundle(number: int, *, registry: str = "stress") -> bytes:
    document = {
        "default_project": PROJECT,
        "format": 1,
        "number": number,
        "registry": registry,
        "store": {"name": "default"},
        "tokens": [],
        "projects": {PROJECT: {"services": services(number), "views": VIEWS}},
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def who(view: str, key: object, generation: int) -> str:
    return f"{view}|{key}|{generation}"


def total(text: str) -> int:
    return zlib.crc32(text.encode())


def write_of(view: str, key: object, generation: int, *, now_us: int) -> RowWrite | None:
    """The row of a key in one generation; None for keys that have none."""
    what = kind(key) if view == "facts" else "late" if view == "marked" else "young"
    if what == "absent":
        return None
    text = who(view, key, generation)
    layout = UNNAMED if what == "unreadable" else FACTS if view == "facts" else PLAIN
    values = (text, total(text), 5000.0 if what == "outside" else generation / 2)[: len(layout.columns)]
    old = what in ("old", "late")
    row = Row(
        event_time_us=now_us - 10 * DAY_US if old else now_us,
        lane=Lane.BATCH if what == "late" else Lane.DIRECT,
        position=generation,
        layout_number=layout.number,
        write_time_us=now_us,
        run_number=generation,
        values=layout.nulls if what == "buried" else values,
        tombstone=what == "buried",
    )
    data = encode_row(row, layout)
    if what == "corrupt":
        data = data[:-1] + bytes([data[-1] ^ 1])
    name, dtype = ("place", Dtype.INT64) if view == "places" else ("item", Dtype.STRING)
    return RowWrite(encode_key([(name, dtype, key)]), data, None)


def stored(view: str, key: object, *, now_us: int) -> dict | None:
    """The same row as the vectors spell it, of generation 0; ``now_us`` is when it was written."""
    what = kind(key) if view == "facts" else "late" if view == "marked" else "young"
    if what == "absent":
        return None
    if what in ("corrupt", "unreadable"):
        return {"corrupt": True}
    return {
        "event_time_us": now_us - 10 * DAY_US if what in ("old", "late") else now_us,
        "write_time_us": now_us,
        "lane": "batch" if what == "late" else "direct",
        "held": False,
        "tombstone": what == "buried",
        "layout": 1,
        "values": {
            column["name"]: {"who": who(view, key, 0), "sum": total(who(view, key, 0))}.get(
                column["name"], 5000.0 if what == "outside" else 0.0
            )
            for column in VIEWS[view]["layouts"]["1"]
        },
    }


STORED = object()  # the value of the row, of whatever generation that is


@dataclass(frozen=True, slots=True)
class Expected:
    """One value as it must be answered: ``value`` is None, a default, or STORED."""

    verdict: Verdict
    status: Status
    action: Action
    value: object


@dataclass(frozen=True, slots=True)
class Reference:
    """The whole answer: columns in the order of ASKED."""

    columns: list[list[Expected]]
    rejected: list[bool]
    failed: bool


def reference(
    service: str,
    items: list[str],
    places: list[int],
    lost: dict[str, list[bool]],
    *,
    number: int,
    now_us: int,
) -> Reference:
    """Judge slowly, with Python's verdicts; ``lost`` says by view which rows the store did not give."""
    terms, judged = services(number)[service], {}
    for view, document in VIEWS.items():
        entities = places if view == "places" else items
        rows = [
            {"unavailable": True} if lost[view][place] else stored(view, key, now_us=now_us)
            for place, key in enumerate(entities)
        ]
        judged[view] = judge(
            [fetched_row(row, document) for row in rows],
            features=features_of(document),
            requested=[name for of, name in ASKED if of == view],
            terms=terms_of(document["terms"], terms["terms"]),
            watermarks={"batch": now_us} if view in ("marked", "facts") else {},
            now_us=now_us,
        )
    rejected = [any(each.rows[place].rejected for each in judged.values()) for place in range(len(items))]
    columns = []
    for view, name in ASKED:
        answers = [next(each for each in row.features if each.name == name) for row in judged[view].rows]
        columns.append(
            [_expected(answer, rejected=gone) for answer, gone in zip(answers, rejected, strict=True)]
        )
    failed = bool(items) and sum(rejected) / len(items) > terms["max_rejected"]
    return Reference(columns, rejected, failed)


def _expected(answer, *, rejected: bool) -> Expected:
    status, value = answer.status, answer.value
    if rejected:
        status = Status.NULL_VALUE if answer.verdict is Verdict.FRESH else status
        value = None
    elif value is not None and answer.action is not Action.DEFAULT:
        value = STORED
    return Expected(answer.verdict, status, answer.action, value)
