"""Every page of ``frontend.urls``: for whom it is there, and that it shows nothing of another project."""

import pytest
from django.test import Client
from django.urls import URLPattern

from controlplane.accounts.models import AuditEntry
from frontend.urls import urlpatterns
from tests.permissions.house import FLIGHTS, TRAINS, Side, Things
from tests.permissions.test_nothing_leaks import found, secrets, who_know_flights_alone

pytestmark = pytest.mark.django_db
# Pages for whoever comes: they sign in and out, keep how pages should look in a cookie, explain error codes.
OPEN = {"sign_in", "sign_out", "preferences", "error_codes"}
# What everybody may do for themselves.
OWN = OPEN | {"tokens", "token_action"}
NUMBERS = {
    "token": lambda things: things.token,
    "channel": lambda things: things.channel,
    "silence": lambda things: things.silence,
    "run": lambda things: things.failed_run,
}
ACTIONS = {
    "token_action": "revoke",
    "channel_action": "delete",
    "silence_action": "end",
    "run_action": "retry",
    "incident_action": "acknowledge",
    "view_action": "run",
}
QUERIES = (
    "?tab=contract",
    "?tab=runs",
    "?kind=features",
    "?state=all",
    f"?focus=view:{FLIGHTS.project}/{FLIGHTS.view}",
    f"?focus=view:{FLIGHTS.project}/{FLIGHTS.view}&view=table&trace=cause",
    f"?q={TRAINS.word}",
    f"?project={TRAINS.project}",
)


def address(page: URLPattern, side: Side, things: Things) -> str:
    """Return the page's address about the things of ``side``."""
    name = page.name or ""
    kind = name.split("_")[0]
    parts = {
        "project": side.project,
        "name": side.view,
        "number": things.incident,
        "id": NUMBERS.get(kind, lambda things: 1)(things),
        "action": ACTIONS.get(name, "edit"),
        "rest": "features",
    }
    asked = {part: parts[part] for part in page.pattern.converters or page.pattern.regex.groupindex}
    if not page.pattern.converters:
        return "/" + asked.get("rest", "")
    route = str(page.pattern)
    for part, value in asked.items():
        converter = "id" if isinstance(value, int) else "str"
        route = route.replace(f"<{converter}:{part}>", str(value))
    assert "<" not in route, f"say what stands in {route}"
    return f"/{route}"


def pages_about(the_house, side=FLIGHTS):
    """Every page with its address about ``side``; pages that act on a thing need one of their own kind."""
    for page in urlpatterns:
        if "id" in page.pattern.converters:
            assert (page.name or "").split("_")[0] in NUMBERS, f"say which number {page.pattern} wants"
        if page.name is None or page.pattern.converters:
            yield page, address(page, side, the_house.things[side])
        else:
            yield page, f"/{page.pattern}"


def ask(the_house, client, method, path):
    with the_house.undone():
        return client.generic(method, path)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_is_not_signed_in_is_sent_to_sign_in(the_house, method):
    for page, path in pages_about(the_house):
        answer = ask(the_house, Client(), method, path)
        if page.name not in OPEN:
            assert answer.status_code in (302, 405), path
            assert answer.status_code == 405 or answer["Location"].startswith("/sign-in?next="), path


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_a_foreign_project_and_of_its_things_are_not_there(the_house, method):
    stranger = the_house.callers["an admin of another project"].client
    for page, path in pages_about(the_house):
        if set(page.pattern.converters) & {"project", "id", "number"}:
            answer = ask(the_house, stranger, method, path)
            assert answer.status_code in (404, 405), (path, answer.status_code)
            said = answer.content.decode().replace(FLIGHTS.view, "")
            assert FLIGHTS.word not in said, path


def test_a_token_does_not_open_pages(the_house):
    for page, path in pages_about(the_house):
        caller = the_house.callers["a token of a admin of the project"]
        if page.name not in OPEN:
            assert ask(the_house, caller.client, "GET", path).status_code in (302, 405), path


def test_a_viewer_changes_nothing_but_what_is_their_own(the_house):
    viewer = the_house.callers["a viewer of the project"].client
    for page, path in pages_about(the_house):
        if page.name not in OWN:
            with the_house.undone():
                before = AuditEntry.objects.count()
                answer = viewer.post(
                    path, {"reason": "x", "text": "x", "name": "x", "project": FLIGHTS.project}
                )
                assert AuditEntry.objects.count() == before, (path, answer.status_code)


def test_pages_show_no_secret_and_nothing_of_another_project(the_house):
    seen = 0
    for name, caller in who_know_flights_alone(the_house):
        if "HTTP_AUTHORIZATION" not in caller.client.defaults:
            for page, path in pages_about(the_house):
                for query in ("", *(QUERIES if page.name else ())):
                    answer = ask(the_house, caller.client, "GET", path + query)
                    text = answer.content.decode().replace(query.removeprefix("?"), "")
                    text = text.replace(f'value="{TRAINS.word}"', "")  # what was searched for, in its field
                    seen += FLIGHTS.word in text
                    assert not found([(path + query, text)], [TRAINS.project, *secrets()]), name
                    assert TRAINS.word not in text.replace(f"{TRAINS.word}”", "").replace(
                        f"q={TRAINS.word}", ""
                    ), (name, path + query)
    assert seen > 40, "the crawl has seen something"


def test_feature_values_are_not_on_the_pages_of_a_viewer(the_house):
    viewer = the_house.callers["a viewer of the project"].client
    for page, path in pages_about(the_house):
        for query in ("", *(QUERIES if page.name else ())):
            text = ask(the_house, viewer, "GET", path + query).content.decode()
            assert FLIGHTS.value not in text, path + query
