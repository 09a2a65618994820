"""Numbers that no database takes and years at the ends of the calendar: told, never a failure of ours."""

import json

import pytest
from django.test import Client

from tests.permissions.asking import API, ASKED, Asked, fill
from tests.permissions.house import FLIGHTS

pytestmark = pytest.mark.django_db
TOO_LARGE = ["9" * 31, str(2**63), "9" * 5_000]
INSTANTS = [
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59.999999Z",
]


def parameters(house, *, of_type=None, of_format=None):
    """(call, name, where) of each parameter with such a schema."""
    for call, operation in house.operations().items():
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            if (of_type or schema.get("type"), of_format or schema.get("format")) == (
                schema.get("type"),
                schema.get("format"),
            ):
                yield call, parameter["name"], parameter["in"]


def ask_with(house, call, name, where, value):
    method, template = call.split()
    asked = ASKED.get(call, Asked())
    things = house.things[FLIGHTS]
    filled = fill(FLIGHTS, things, house.connection) | dict(asked.path(FLIGHTS, things))
    query = dict(pair.split("=", 1) for pair in asked.query(FLIGHTS).lstrip("?").split("&") if pair)
    (filled if where == "path" else query)[name] = value
    body = asked.body(FLIGHTS, things)
    # A failure of ours comes as a 500, as clients see it.
    client = Client(raise_request_exception=False)
    client.cookies = house.callers["the administrator"].client.cookies
    with house.undone():
        return client.generic(
            method,
            template.format(**filled),
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            query_params=query,
        )


def changed(asked, name, value):
    """The same call with another value in its body."""
    return Asked(body=lambda side, things: asked.body(side, things) | {name: value})


@pytest.mark.parametrize("number", TOO_LARGE, ids=["31 digits", "2**63", "5000 digits"])
def test_no_number_is_too_large_to_be_told_so(the_house, number):
    asked = list(parameters(the_house, of_type="integer"))
    assert {"path", "query"} == {where for _, _, where in asked}
    assert len(asked) > 25
    wrong = []
    for call, name, where in [*asked, (f"GET {API}/channels", "limit", "query")]:
        answer = ask_with(the_house, call, name, where, number)
        allowed = {404} if where == "path" else {422}
        if answer.status_code not in allowed or answer["Content-Type"] != "application/problem+json":
            wrong.append(f"{call} {name}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("instant", INSTANTS)
def test_no_instant_is_too_early_or_too_late_to_be_told_so(the_house, instant):
    asked = list(parameters(the_house, of_format="date-time"))
    assert {name for _, name, _ in asked} == {"from", "to"}
    for call, name, where in asked:
        answer = ask_with(the_house, call, name, where, instant)
        assert answer.status_code in (200, 422), (call, name, answer.content)


@pytest.mark.parametrize("instant", INSTANTS)
def test_an_instant_in_a_body_is_taken_or_refused(the_house, instant, monkeypatch):
    for call, name in (
        (f"POST {API}/projects/{{project}}/feature-views/{{view}}/heartbeat", "as_of"),
        (f"POST {API}/silences", "starts_at"),
        (f"POST {API}/silences", "ends_at"),
        (f"POST {API}/tokens", "expires_at"),
    ):
        monkeypatch.setitem(ASKED, call, changed(ASKED[call], name, instant))
        answer = ask_with(the_house, call, "unused", "query", "")
        assert answer.status_code < 500, (call, name, answer.content)
        monkeypatch.undo()


@pytest.mark.parametrize("number", TOO_LARGE[:2])
def test_a_number_in_a_body_is_refused_when_no_thing_could_have_it(the_house, number, monkeypatch):
    for call, name, value in (
        (f"POST {API}/projects/{{project}}/refused-rows/redrive", "ids", [int(number)]),
        (f"PUT {API}/teams/{{team}}/channels", "channels", [int(number)]),
        (f"POST {API}/channels", "fallback", int(number)),
    ):
        monkeypatch.setitem(ASKED, call, changed(ASKED[call], name, value))
        assert ask_with(the_house, call, "unused", "query", "").status_code == 422, call


def test_pages_of_numbers_that_no_thing_can_have_are_not_found(the_house):
    client = the_house.callers["the administrator"].client
    for number in TOO_LARGE:
        for address in (
            f"/p/flights/incidents/INC-{number}",
            f"/p/flights/runs/{number}",
            f"/incidents/INC-{number}",
        ):
            assert client.get(address).status_code == 404, address
