"""Whole answers of serving over HTTP, compared with a slow reference over generated definitions and requests.

Services have terms of their own; requests have duplicates and keys spelled in many ways.
"""

import base64
import json
import subprocess
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from controlplane.contracts.bundle import BundleProject, BundleView, compile_bundle
from controlplane.contracts.model import (
    DirectLane,
    Enforcement,
    FeatureRef,
    FeatureService,
    FeatureView,
    JoinKey,
)
from controlplane.contracts.values import to_json
from controlplane.contracts.verdicts import Lost, Status, Verdict, judge
from controlplane.kernel.dtypes import Dtype
from store_adapters import Column, Lane, Layout, Row, encode_key, encode_row
from tests.contracts.lookups import NOW_US, Lookup, lookups
from tools.places import SERVING
from tools.toolchains import find_go

pytestmark = pytest.mark.slow
ENTITIES = {"text": Dtype.STRING, "number": Dtype.INT64}
VIEW_OF = {"first": "text", "second": "text", "third": "number"}
KEYS = {
    "text": ["", "a", "é\n", '"', "\U0001f6eb", "z" * 40],
    "number": [0, -1, 7, 2**53 + 1, -(2**63), 10**15],
}


@dataclass(frozen=True)
class Asked:
    """What is in the store, by view a generated lookup whose rows are those of the first keys; a request."""

    views: dict[str, Lookup]
    by_service: bool
    chosen: list[int]  # by row the place of its keys in KEYS

    @property
    def features(self) -> list[tuple[str, str]]:
        return [
            (view, name)
            for view, lookup in self.views.items()
            for name in lookup.requested
            if self.may_ask(lookup, name)
        ]

    def may_ask(self, lookup: Lookup, name: str) -> bool:
        """A retired feature is known only where a service still names it."""
        return self.by_service or name != "gone"

    def row(self, view: str, key: int):
        """What the store says; a key that cannot be read is so for all views of its entity."""
        rows = {name: dict(enumerate(lookup.rows)).get(key) for name, lookup in self.views.items()}
        mates = [name for name in self.views if VIEW_OF[name] == VIEW_OF[view]]
        return Lost.UNAVAILABLE if any(rows[mate] is Lost.UNAVAILABLE for mate in mates) else rows[view]

    def is_lost(self, view: str, key: int) -> bool:
        return self.row(view, key) is Lost.UNAVAILABLE


questions = st.builds(
    Asked,
    views=st.fixed_dictionaries({name: lookups() for name in VIEW_OF}),
    by_service=st.booleans(),
    chosen=st.lists(st.integers(0, 5), max_size=8),
)


def compiled(asked: Asked) -> bytes:
    views = []
    for number, (name, lookup) in enumerate(asked.views.items(), start=1):
        view = FeatureView(
            name,
            ("e",),
            lookup.features,
            lookup.view_terms,
            enforcement=lookup.enforcement,
            direct=DirectLane(),
        )
        layouts = {
            n: [JoinKey(column, dtype) for column, dtype in columns.items()]
            for n, columns in lookup.layouts.items()
        }
        key = JoinKey(VIEW_OF[name], ENTITIES[VIEW_OF[name]])
        views.append(BundleView(number, number, view, [key], max(lookup.layouts), layouts))
    terms = asked.views["first"]
    references = tuple(
        FeatureRef(view, name) for view, lookup in asked.views.items() for name in lookup.requested
    )
    service = FeatureService("s", references, terms.service_terms, terms.max_rejected)
    project = BundleProject(views, [service])
    registry = "00000000-0000-4000-8000-000000000000"
    return compile_bundle(registry=registry, number=1, default_project="p", projects={"p": project}).body


def stored(asked: Asked, view: str) -> dict[str, str]:
    """The bytes of a view's rows, by key."""
    found, lookup = {}, asked.views[view]
    for place, (row, number) in enumerate(zip(lookup.rows, lookup.layout_of, strict=True)):
        if row is None or row is Lost.UNAVAILABLE:
            continue
        data = b"no row" if row is Lost.CORRUPT else _encoded(row, number, lookup)
        found[key_bytes(view, place).hex()] = base64.b64encode(data).decode()
    return found


def _encoded(row, number: int, lookup: Lookup) -> bytes:
    layout = Layout(number, tuple(Column(name, dtype) for name, dtype in lookup.layouts[number].items()))
    return encode_row(
        Row(
            event_time_us=row.event_time_us,
            lane=Lane(row.lane),
            position=1,
            layout_number=number,
            write_time_us=row.write_time_us,
            run_number=1,
            values=layout.nulls
            if row.tombstone
            else tuple(row.values[column.name] for column in layout.columns),
            tombstone=row.tombstone,
            held=row.held,
        ),
        layout,
    )


def key_bytes(view: str, place: int) -> bytes:
    entity = VIEW_OF[view]
    return encode_key([(entity, ENTITIES[entity], KEYS[entity][place])])


def spelled(value: object, turn: int) -> str:
    """A key as some client writes it: integers with a zero fraction or an exponent, text with escapes."""
    if isinstance(value, int):
        exact = abs(value) < 2**53
        return [str(value), f"{value}.0" if exact else str(value), f"{value}e0" if exact else str(value)][
            turn % 3
        ]
    return json.dumps(value, ensure_ascii=turn % 2 == 0)


def body(asked: Asked) -> str:
    columns = []
    for entity in ENTITIES:
        keys = [spelled(KEYS[entity][place], turn) for turn, place in enumerate(asked.chosen)]
        columns.append(f'"{entity}":[{",".join(keys)}]')
    what = '"feature_service":"s"'
    if not asked.by_service:
        what = f'"features":{json.dumps([f"{view}:{name}" for view, name in asked.features])}'
    return f'{{{what},"entities":{{{",".join(columns)}}},"full_feature_names":true}}'


def expected(asked: Asked) -> dict:
    """The answer by the contract's words: each view judged by itself, a row rejected by any of them."""
    first, judged = asked.views["first"], {}
    for view, lookup in asked.views.items():
        own = asked.by_service
        judged[view] = judge(
            [asked.row(view, place) for place in asked.chosen],
            features={feature.name: feature for feature in lookup.features},
            requested=[name for of, name in asked.features if of == view],
            terms=lookup.view_terms.under(first.service_terms) if own else lookup.view_terms,
            watermarks=lookup.watermarks,
            now_us=NOW_US,
            enforcement=lookup.enforcement,
        )
    rows = range(len(asked.chosen))
    rejected = [
        any(
            judged[view].rows[row].rejected
            for view, lookup in asked.views.items()
            if lookup.enforcement is Enforcement.ENFORCE
        )
        for row in rows
    ]
    dtypes = {view: {f.name: f.dtype for f in lookup.features} for view, lookup in asked.views.items()}
    columns = []
    for view, name in asked.features:
        values = [next(v for v in row.features if v.name == name) for row in judged[view].rows]
        dtype = dtypes[view].get(name, Dtype.STRING)
        columns.append(
            {
                "name": f"{view}__{name}",
                "values": [
                    None if gone else to_json(dtype, v.value)
                    for v, gone in zip(values, rejected, strict=True)
                ],
                "verdicts": [v.verdict.value for v in values],
                "actions": [v.action.value for v in values],
                "ages_us": [row.age_us for row in judged[view].rows],
                "statuses": [_status(v, rejected=gone) for v, gone in zip(values, rejected, strict=True)],
            }
        )
    share = sum(rejected) / len(rejected) if rejected else 0.0
    unread = all(asked.is_lost(view, place) for view in asked.views for place in asked.chosen)
    failed = share > (first.max_rejected if asked.by_service else 1.0)
    return {
        "code": 503 if rejected and unread else 424 if failed else 200,
        "columns": columns,
        "rejected": [row for row in rows if rejected[row]],
    }


def _status(value, *, rejected: bool) -> str:
    return (Status.NULL_VALUE if rejected and value.verdict is Verdict.FRESH else value.status).value


class Answers:
    """serving/cmd/answer: a line in, a line out."""

    def __init__(self, binary):
        self._process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, asked: Asked, path: str) -> tuple[int, dict]:
        lost = {
            key_bytes(view, place).hex()
            for view in asked.views
            for place in range(6)
            if asked.is_lost(view, place)
        }
        question = {
            "now_us": NOW_US,
            "watermarks": {view: lookup.watermarks for view, lookup in asked.views.items()},
            "rows": {view: stored(asked, view) for view in asked.views},
            "lost": sorted(lost),
            "path": path,
        }
        text = (
            json.dumps(question)[:-1] + f', "bundle": {compiled(asked).decode()}, "body": {body(asked)}}}\n'
        )
        self._process.stdin.write(text)
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        return said["code"], said["body"]

    def close(self):
        self._process.stdin.close()
        assert self._process.wait(timeout=30) == 0
        self._process.stdout.close()


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    go, binary = find_go(), tmp_path_factory.mktemp("answer") / "answer"
    words = [go.program("go"), "build", "-o", binary, "./cmd/answer"]
    subprocess.run(words, cwd=SERVING, env=go.environment(), check=True, timeout=110)
    made = Answers(binary)
    yield made
    made.close()


@settings(
    max_examples=60,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(asked=questions)
def test_a_whole_answer_is_what_the_slow_reference_says(answers, asked):
    want = expected(asked)
    code, said = answers.ask(asked, "/v1/lookup")
    assert code == want["code"], said
    if code == 200:
        told = ("name", "values", "verdicts", "actions", "ages_us")
        assert [{part: column[part] for part in told} for column in said["columns"]] == [
            {part: column[part] for part in told} for column in want["columns"]
        ]
        assert [each["row"] for each in said["rejected"]] == want["rejected"]
    code, said = answers.ask(asked, "/get-online-features")
    assert code == want["code"], said
    if code == 200:
        assert said["metadata"]["feature_names"] == [
            *ENTITIES,
            *(column["name"] for column in want["columns"]),
        ]
        assert [each["statuses"] for each in said["results"][2:]] == [
            column["statuses"] for column in want["columns"]
        ]
        assert [[value is None for value in each["values"]] for each in said["results"][2:]] == [
            [value is None for value in column["values"]] for column in want["columns"]
        ]
