"""The shared vectors: Python keeps them, and the files say what the stories say."""

import json
from pathlib import Path

import pytest

from controlplane.contracts.model import Enforcement
from controlplane.contracts.verdicts import judge
from tests.contracts.cases import features_of, fetched_row, judgement_document, terms_of
from tests.contracts.vectors import (
    absence,
    actions,
    ages,
    layouts,
    lists,
    numbers,
    observing,
    rejection,
    services,
    texts,
    watermarks,
)
from tests.contracts.vectors.building import render

DIRECTORY = Path(__file__).parents[1] / "golden" / "contract_vectors"
TOPICS = {
    module.__name__.rpartition(".")[2]: module.CASES
    for module in (
        absence,
        actions,
        ages,
        layouts,
        lists,
        numbers,
        observing,
        rejection,
        services,
        texts,
        watermarks,
    )
}


@pytest.mark.parametrize("topic", TOPICS)
def test_the_vector_files_say_what_the_stories_say(topic, request):
    path = DIRECTORY / f"{topic}.json"
    if request.config.getoption("--rewrite"):
        path.write_text(render(TOPICS[topic]), encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == {"format": 1, "cases": TOPICS[topic]}


def test_every_vector_file_has_a_story():
    assert {path.stem for path in DIRECTORY.glob("*.json")} == set(TOPICS)


def every_case():
    for path in sorted(DIRECTORY.glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


@pytest.mark.parametrize("case", list(every_case()))
def test_python_judges_as_the_vector_says(case):
    view = case["view"]
    features = features_of(view)
    judgement = judge(
        [fetched_row(row, view) for row in case["rows"]],
        features=features,
        requested=case["requested"],
        terms=terms_of(view["terms"], case["service_terms"]),
        watermarks=case["watermarks"],
        now_us=case["now_us"],
        max_rejected=case["max_rejected"],
        enforcement=Enforcement(view["enforcement"]),
    )
    assert judgement_document(judgement, features=features) == case["expect"]


def test_there_are_vectors_enough_and_no_two_share_a_name():
    names = [case["name"] for cases in TOPICS.values() for case in cases]
    assert len(names) == len(set(names)) >= 120
