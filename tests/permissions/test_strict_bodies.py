"""Bodies with a mistyped name: told, never passed over."""

import json

import pytest

from tests.permissions import asking
from tests.permissions.asking import API, ASKED, Asked, ask
from tests.permissions.house import FLIGHTS

pytestmark = pytest.mark.django_db


def declared(house):
    """The calls whose body the document declares, member by member."""
    for call, operation in house.operations().items():
        content = operation.get("requestBody", {}).get("content", {})
        if "$ref" in content.get("application/json", {}).get("schema", {}):
            yield call


def test_every_declared_body_refuses_a_member_that_it_does_not_declare(the_house, monkeypatch):
    calls = list(declared(the_house))
    assert len(calls) > 15
    wrong = []
    for call in calls:
        right = ASKED.get(call, Asked()).body(FLIGHTS, the_house.things[FLIGHTS]) or {}
        mistyped = Asked(body=lambda side, things, right=right: right | {"mistyped": 1})
        monkeypatch.setitem(asking.ASKED, call, mistyped)
        client = the_house.callers["the administrator"].client
        with the_house.undone():
            answer = ask(client, call, FLIGHTS, the_house.things[FLIGHTS], the_house.connection)
        found = [(e["path"], e["code"]) for e in answer.json().get("errors", [])]
        if (answer.status_code, found) != (422, [("mistyped", "unknown_field")]):
            wrong.append(f"{call}: {answer.status_code} {answer.content[:200]!r}")
    assert not wrong, "\n".join(wrong)


def test_a_fault_deep_in_a_body_is_told_with_its_path(the_house):
    client = the_house.callers["the administrator"].client
    body = {
        "instance": "a-1",
        "digest": "0" * 64,
        "number": 1,
        "refused": {"digest": "0" * 64, "reason": "r", "why": 1},
    }
    answer = client.post(f"{API}/serving/acknowledgements", json.dumps(body), content_type="application/json")
    assert [(e["path"], e["code"]) for e in answer.json()["errors"]] == [
        ("loaded_at_us", "missing_field"),
        ("refused.why", "unknown_field"),
    ]
    channels = {"channels": [1, "x"]}
    answer = client.put(
        f"{API}/teams/{FLIGHTS.team}/channels", json.dumps(channels), content_type="application/json"
    )
    assert [e["path"] for e in answer.json()["errors"]] == ["channels[1]"]
