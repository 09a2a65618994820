"""Export gives the file back."""

import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from controlplane.contracts.definition import load, parse, write_yaml
from tests.contracts.story import definition
from tests.contracts.strategies import definitions

SLOW = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SLOW
@given(definitions())
def test_what_is_exported_parses_to_the_same(whole):
    assert repr(parse(whole.to_document())) == repr(whole)  # repr: NaN is not equal to itself


@SLOW
@given(definitions())
def test_a_file_says_the_same_in_json_and_in_yaml(whole):
    document = whole.to_document()
    as_json = load(json.dumps(document, allow_nan=False), "application/json")
    as_yaml = load(write_yaml(document), "application/yaml")
    assert repr(parse(as_json)) == repr(parse(as_yaml)) == repr(whole)


def test_an_exported_document_exports_to_itself():
    document = definition().to_document()
    assert parse(document).to_document() == document


def test_an_export_reads_like_a_file_that_a_person_wrote():
    view = definition().to_document()["feature_views"][0]
    assert view["freshness"] == {"warn_after": "20m", "max_age": "45m"}
    assert view["batch"] == {
        "source": "flights",
        "query": "SELECT 1",
        "schedule": "*/15 * * * *",
        "timezone": "UTC",
        "grace": "5m",
        "absent": "remove",
    }
    assert view["features"][2] == {"name": "last_tail", "dtype": "string", "nullable": True, "max_length": 16}


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "0o7",
        "no",
        "12:30:00",
        "null",
        "",
        "~",
        "2026-11-01",
        "=",
        "<<",
        "'",
        "a\nb",
        "\x85",
        "a\u2028b",
        "\ufeff",
    ],
)
def test_a_text_stays_a_text_in_either_version_of_yaml(text):
    written = write_yaml({"x": text})
    assert load(written, "application/yaml") == {"x": text}
    assert yaml.safe_load(written) == {"x": text}


def test_an_export_in_yaml_carries_no_aliases():
    shared = {"a": 1}
    assert load(write_yaml({"x": [shared, shared]}), "application/yaml") == {"x": [shared, shared]}
    assert "&" not in write_yaml({"x": [shared, shared]})
