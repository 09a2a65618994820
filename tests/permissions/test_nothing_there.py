"""Addresses of what does not exist: 404 for who may know of everything, never an empty, healthy answer."""

import pytest

from controlplane.registry.models import Project
from tests.permissions.asking import ask
from tests.permissions.house import FLIGHTS, NOW, Side

pytestmark = pytest.mark.django_db
# Of these the project may be one to come.
MAKING = {
    "POST /api/v1/projects/{project}/apply",
    "POST /api/v1/projects/{project}/import/feast",
    "POST /api/v1/projects/{project}/plan",
    "PUT /api/v1/projects/{project}",
}
NO_PROJECT = Side("nowhere", FLIGHTS.word)
NO_NAME = Side(FLIGHTS.project, "nothing")


def wrong_answers(house, calls, side):
    caller = house.callers["the administrator"]
    for call in calls:
        with house.undone():
            answer = ask(caller.client, call, side, house.things[FLIGHTS], house.connection)
            if answer.status_code != 404 or answer["Content-Type"] != "application/problem+json":
                yield f"{call}: {answer.status_code} {answer.content[:200]!r}"


def test_every_address_in_a_project_that_does_not_exist_is_not_found(the_house):
    calls = [call for call in the_house.operations() if "{project}" in call and call not in MAKING]
    assert len(calls) > 30
    assert not list(wrong_answers(the_house, calls, NO_PROJECT))


def test_a_retired_project_is_not_found_either(the_house):
    Project.objects.filter(name=FLIGHTS.project).update(retired_at=NOW)
    calls = [call for call in the_house.operations() if call.startswith("GET") and "{project}" in call]
    assert not list(wrong_answers(the_house, calls, FLIGHTS))


def test_every_address_of_a_view_or_object_that_does_not_exist_is_not_found(the_house):
    named = [call for call in the_house.operations() if "{project}" in call and not call.startswith("PUT")]
    calls = [call for call in named if "{view}" in call or "{name}" in call]
    assert len(calls) > 10
    assert not list(wrong_answers(the_house, calls, NO_NAME))


def test_a_project_that_does_not_exist_answers_like_one_that_may_not_be_known(the_house):
    address = f"/api/v1/projects/{NO_PROJECT.project}/health"
    answers = [
        the_house.callers[name].client.get(address).json()
        for name in ("the administrator", "a viewer of the project")
    ]
    assert answers[0]["detail"] == answers[1]["detail"]
