"""The reference page says what the code does."""

import re
from pathlib import Path

import pytest

from controlplane.contracts.definition import load, parse
from controlplane.contracts.model import Action, Enforcement, SourceKind, Tier
from controlplane.contracts.verdicts import Status, Verdict

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "contracts.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"```yaml\n(.*?)```", PAGE, re.S)[1]

EVERYTHING = {
    "entity": {"name", "join_keys", "owner", "description"},
    "feature_view": {
        "name", "entities", "owner", "description", "tier", "runbook", "tags", "features", "freshness",
        "on_stale", "on_missing", "on_invalid", "enforcement", "expire_after", "batch", "stream", "direct",
    },
    "batch": {
        "sources", "query", "schedule", "timezone", "grace", "absent", "max_refused", "max_removed",
        "max_changed", "order_by",
    },
    "stream": {"source", "fields", "format", "delete_when"},
    "feature_service": {
        "name", "owner", "description", "model", "features", "max_age",
        "on_stale", "on_missing", "on_invalid",
        "max_rejected", "slo",
    },
}  # fmt: skip


def test_the_example_parses_and_comes_back_from_its_export():
    parsed = parse(load(EXAMPLE, "application/yaml"))
    assert parse(parsed.to_document()) == parsed


def test_the_example_uses_every_field():
    document = parse(load(EXAMPLE, "application/yaml")).to_document()
    view = document["feature_views"][0]
    assert set(document["entities"][0]) == EVERYTHING["entity"]
    assert set(view) == EVERYTHING["feature_view"]
    assert set(view["batch"]) == EVERYTHING["batch"]
    assert set(view["stream"]) == EVERYTHING["stream"]
    assert set(document["feature_services"][0]) == EVERYTHING["feature_service"]


@pytest.mark.parametrize(
    "words", [Action, Enforcement, Tier, SourceKind, Verdict], ids=lambda each: each.__name__
)
def test_every_word_is_on_the_page(words):
    assert [word for word in words if word not in PAGE] == []


@pytest.mark.parametrize("status", Status)
def test_every_status_is_in_the_table_of_verdicts(status):
    assert f"| {status} |" in PAGE


def test_the_glossary_tells_each_word_once():
    words = re.findall(r"^\| \*\*(.+?)\*\*", (DOCS / "glossary.md").read_text(encoding="utf-8"), re.M)
    assert len(words) == len(set(words)) > 20
