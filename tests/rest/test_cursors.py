"""Cursors that somebody made up: refused, whatever is in them."""

import base64
import json

import pytest
from django.test import Client

from tests.permissions.callers import Callers

pytestmark = pytest.mark.django_db
BY_NUMBER, BY_NAME = "/api/v1/tokens", "/api/v1/teams"


def cursor(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.fixture
def root():
    callers = Callers()
    callers.meet_all()
    return callers.by_name["the administrator"].client


@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, -1, 2**63, 10**30, "x"])
def test_a_list_by_number_takes_only_numbers(root: Client, value):
    answer = root.get(BY_NUMBER, {"cursor": cursor(value)})
    assert (answer.status_code, "cursor" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize("value", [None, True, 1, [], {}])
def test_a_list_by_name_takes_only_names(root: Client, value):
    assert root.get(BY_NAME, {"cursor": cursor(value)}).status_code == 422


@pytest.mark.parametrize("text", ["x", "MQ", "%%%", "M Q==", "\xe9", "W1tbW1tb", "A" * 5_000])
def test_what_is_no_cursor_at_all_is_refused(root: Client, text):
    for address in (BY_NUMBER, BY_NAME):
        assert root.get(address, {"cursor": text}).status_code == 422, text


@pytest.mark.parametrize("address", [BY_NUMBER, BY_NAME])
def test_the_cursor_of_a_list_leads_on(root: Client, address):
    first = root.get(address, {"limit": 2}).json()
    second = root.get(address, {"limit": 2, "cursor": first["next"]}).json()
    seen = [item.get("id", item["name"]) for page in (first, second) for item in page["items"]]
    assert len(set(seen)) == 4
