"""Requests of rows that somebody got wrong: the envelope is told, and every row is answered for."""

import json

import pytest

from tests.ingestion.test_api import client_of
from tests.ingestion.world import KEY, view_document

GOOD = {"k": "a", "x": 1, "y": "one"}


@pytest.fixture
def rows(world):
    world.apply(entities=[KEY], feature_views=[view_document(direct=True)])
    client = client_of("read", "ingest", "operate", "lookup")

    def send(data):
        address = f"/api/v1/projects/{world.project}/feature-views/v/rows"
        return client.post(address, data, content_type="application/json")

    return send


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ('{"row": [{"k": "a"}]}', "row", "unknown_field"),
        ('{"rows": [], "foo": 1}', "foo", "unknown_field"),
        ('{"row": [], "deletes": []}', "row", "unknown_field"),
        ("{}", "rows", "missing_field"),
        ("", "rows", "missing_field"),
        ('{"rows": null}', "rows", "bad_value"),
        ('{"rows": {"k": "a"}}', "rows", "bad_value"),
    ],
)
def test_a_mistyped_envelope_is_refused_and_named(rows, body, path, code):
    answer = rows(body)
    assert answer.status_code == 422
    assert [(e["path"], e["code"]) for e in answer.json()["errors"]] == [(path, code)]


@pytest.mark.parametrize("body", ['{"rows": []}', '{"deletes": []}', '{"rows": [], "deletes": []}'])
def test_a_request_with_nothing_to_write_is_right(rows, body):
    assert rows(body).json() == {"written": 0, "older": 0, "unchanged": 0, "refused": []}


def test_deletes_alone_are_enough(world, rows):
    rows(json.dumps({"rows": [GOOD]}))
    assert rows('{"deletes": [{"k": "a"}]}').json()["written"] == 1
    assert world.values("a") == "gone"


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("null", ""),
        ("[1]", ""),
        ('"text"', ""),
        ("1e999", ""),
        ('{"k": "b", "x": 1e999}', "x"),
        ('{"k": "b", "x": -1e999}', "x"),
        ('{"k": null, "x": 1}', "k"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused_alone(world, rows, row, field):
    answer = rows(f'{{"rows": [{json.dumps(GOOD)}, {row}]}}')
    assert (answer.status_code, answer.json()["written"]) == (200, 1), answer.content
    (refused,) = answer.json()["refused"]
    assert (refused["index"], refused["field"]) == (1, field)
    assert refused["message"]
    assert world.values("a") == (1, "one")
    kept = client_of("read", "lookup").get(f"/api/v1/projects/{world.project}/refused-rows")
    assert [item["field"] for item in kept.json()["items"]] == [field]


def test_a_delete_that_is_no_object_is_refused_alone(rows):
    answer = rows(f'{{"rows": [{json.dumps(GOOD)}], "deletes": [null]}}').json()
    assert (answer["written"], [refused["index"] for refused in answer["refused"]]) == (1, [1])
