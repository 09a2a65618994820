"""Every call of the OpenAPI document, by every caller: 401, 403, 404, or the answer that was asked for.

What is expected comes from ``tests/golden/permissions.txt``, which people wrote and read; the document
and the code are both held against it.
"""

import pytest

from tests.permissions.asking import ASKED, ask
from tests.permissions.expecting import expect, read_table
from tests.permissions.house import FLIGHTS

pytestmark = pytest.mark.django_db

TABLE = read_table()


def test_every_call_that_the_server_answers_stands_in_the_table_and_no_other(the_house):
    assert sorted(TABLE) == sorted(the_house.operations())


def test_nothing_is_asked_that_does_not_exist(the_house):
    assert set(ASKED) <= set(the_house.operations())


def test_the_document_states_the_access_of_the_table(the_house):
    stated = {call: operation["x-freshline-access"] for call, operation in the_house.operations().items()}
    assert stated == {call: need.stated for call, need in TABLE.items()}


def test_the_document_asks_for_a_token_with_the_scope_or_a_session(the_house):
    stated = {call: operation["security"] for call, operation in the_house.operations().items()}
    assert stated == {call: [{"token": [need.scope]}, {"session": []}] for call, need in TABLE.items()}


def _area(call: str) -> str:
    """Return what the calls of one test have in common: the first fixed words of their paths."""
    words = [part for part in call.split("/")[3:] if not part.startswith("{")]
    return "/".join(words[:2]) if words[0] == "projects" else words[0]


@pytest.mark.parametrize("area", sorted({_area(call) for call in TABLE}))
def test_every_caller_gets_what_the_table_says(the_house, area):
    wrong = []
    for call in filter(lambda call: _area(call) == area, TABLE):
        for name, caller in the_house.callers.items():
            with the_house.undone():
                answer = ask(caller.client, call, FLIGHTS, the_house.things[FLIGHTS], the_house.connection)
                wrong += _faults(f"{call} by {name}", answer, expect(caller, TABLE[call]))
    assert not wrong, "\n".join(wrong)


def _faults(who, answer, expected):
    text = "" if answer.streaming else answer.content.decode()
    if answer.status_code != expected.status or expected.says not in text:
        yield f"{who}: {answer.status_code}, not {expected}: {text[:200]}"
    elif answer.status_code in (401, 403, 404):
        if answer["Content-Type"] != "application/problem+json":
            yield f"{who}: the refusal is no problem document"
        if ("WWW-Authenticate" in answer) != (answer.status_code == 401):
            yield f"{who}: WWW-Authenticate belongs to 401, and only there"
