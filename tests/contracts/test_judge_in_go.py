"""Serving's judge and this one agree, on the shared vectors and on whatever else is generated."""

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from controlplane.contracts.bins import bin_of
from controlplane.contracts.verdicts import Lost
from tests.contracts.cases import exact_json, judgement_document
from tests.contracts.lookups import NOW_US, lookups

ROOT = Path(__file__).parents[2]
SERVING = ROOT / "serving"
VECTORS = ROOT / "tests" / "golden" / "contract_vectors"


class Judge:
    """The binary of serving/cmd/judge: one case a line in, one expectation a line out."""

    def __init__(self, binary):
        self._process = subprocess.Popen(
            [binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def judge(self, case):
        self._process.stdin.write(json.dumps(case, ensure_ascii=False, allow_nan=False) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the judge ended with {self._process.poll()} on {case}"
        return json.loads(answer)

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=10)


@pytest.fixture(scope="session")
def go_judge(tmp_path_factory):
    go = shutil.which("go") or "/usr/local/go/bin/go"
    binary = tmp_path_factory.mktemp("judge") / "judge"
    subprocess.run([go, "build", "-o", binary, "./cmd/judge"], cwd=SERVING, check=True, timeout=110)
    judge = Judge(binary)
    yield judge
    judge.close()


def case_of(lookup):
    """The lookup as a case of the vectors; its view is the one that the bundle publishes."""
    project = json.loads(lookup.bundled().body)["projects"]["p"]
    return {
        "name": "generated",
        "now_us": NOW_US,
        "view": project["views"]["v"],
        "service_terms": project["services"]["s"]["terms"],
        "requested": lookup.requested,
        "watermarks": lookup.watermarks,
        "max_rejected": lookup.max_rejected,
        "rows": [_row(row, layout=layout) for row, layout in zip(lookup.rows, lookup.layout_of, strict=True)],
    }


def _row(row, *, layout):
    if row is None:
        return None
    if isinstance(row, Lost):
        return {row.name.lower(): True}
    return {
        "event_time_us": row.event_time_us,
        "write_time_us": row.write_time_us,
        "lane": row.lane,
        "held": row.held,
        "tombstone": row.tombstone,
        "layout": layout,
        "values": {name: exact_json(row.columns[name], value) for name, value in row.values.items()},
    }


@pytest.mark.slow
def test_go_judges_as_the_vectors_say(go_judge):
    disagreements = []
    for path in sorted(VECTORS.glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            answer = go_judge.judge({key: value for key, value in case.items() if key != "expect"})
            if answer != case["expect"]:
                disagreements.append((path.stem, case["name"], answer, case["expect"]))
    assert disagreements == []


@pytest.mark.slow
@settings(
    max_examples=600,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(lookup=lookups())
def test_go_and_python_agree_on_every_lookup(go_judge, lookup):
    features = {feature.name: feature for feature in lookup.features}
    expected = json.loads(json.dumps(judgement_document(lookup.judge(), features=features)))
    answer = go_judge.judge(case_of(lookup))
    binned = answer.pop("bins", {})
    assert answer == expected
    unread = bool(lookup.rows) and all(row is Lost.UNAVAILABLE for row in lookup.rows)
    assert binned == ({} if unread else _binned(lookup.judge(), features=features))


def _binned(judgement, *, features):
    """What the caller gets, value by value, counted by feature and bin; a request that fails gets nothing."""
    counts = {}
    for row in [] if judgement.failed else judgement.rows:
        for answer in row.features:
            feature = features.get(answer.name)
            if feature is not None and feature.bins is not None:
                of_feature = counts.setdefault(feature.name, Counter())
                of_feature[bin_of(feature.dtype, feature.bins, answer.value)] += 1
    return counts
