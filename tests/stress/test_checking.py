"""The stress run's own eyes: a wrong answer is seen, whatever is wrong with it."""

from dataclasses import replace

import pytest

from tests.stress import story
from tests.stress.clients import Answered, Client, Notes, Question, Weather

ITEMS = ["item 0", "item 3", "item 4", "item 7"]  # young, old, absent, corrupt
PLACES = [1, 2, 3, 4]
NOW_US = 1_800_000_000_000_000


class Written:
    """A writer that has written generation 5, and is about to write 6."""

    taken = {(view, key): 5 for view in story.VIEWS for key in [*ITEMS, *PLACES]}
    sent = dict.fromkeys(taken, 6)


class Plain(Client):
    def ask(self, question):
        raise NotImplementedError


@pytest.fixture
def client():
    return Plain("127.0.0.1:1", Written(), Weather(), Notes(), seed=1, deadline=1)


def right(service="plain"):
    """The right answer, all of generation 5."""
    lost = {view: [False] * len(ITEMS) for view in story.VIEWS}
    expected = story.reference(service, ITEMS, PLACES, lost, number=2, now_us=NOW_US)
    columns = []
    for (view, name), column in zip(story.ASKED, expected.columns, strict=True):
        entities = PLACES if view == "places" else ITEMS
        values = [
            stored(view, name, key) if want.value is story.STORED else want.value
            for key, want in zip(entities, column, strict=True)
        ]
        columns.append((values, [want.verdict.value for want in column], None))
    return Answered(200, columns, 2)


def stored(view, name, key):
    text = story.who(view, key, 5)
    return {"who": text, "sum": story.total(text), "size": 2.5}[name]


def complaints(client, answered, *, trouble=False, took=0.1, service="plain"):
    question = Question(service, ITEMS, PLACES, 0)
    return list(client._complaints(question, answered, took, trouble=trouble, taken=Written.taken))


def changed(answered, column, row, value, *, part=0):
    columns = [tuple(list(each) if each else each for each in one) for one in answered.columns]
    columns[column][part][row] = value
    return replace(answered, columns=columns)


@pytest.mark.parametrize("service", ["plain", "defaulting", "swing"])
def test_a_right_answer_gives_no_complaint(client, service):
    assert complaints(client, right(service), service=service) == []


@pytest.mark.parametrize(
    ("what", "column", "row", "value", "part"),
    [
        ("another key's value", 0, 0, story.who("facts", "item 1", 5), 0),
        ("another view's value", 0, 0, story.who("marked", "item 0", 5), 0),
        ("a value from before the request", 0, 0, story.who("facts", "item 0", 4), 0),
        ("a value that nobody wrote yet", 0, 0, story.who("facts", "item 0", 7), 0),
        ("another generation in the next column", 1, 0, story.total(story.who("facts", "item 0", 6)), 0),
        ("a null in place of a value", 0, 0, None, 0),
        ("a value where there is none", 0, 2, "x", 0),
        ("a stale value called fresh", 0, 1, "fresh", 1),
        ("an unavailable value in calm", 0, 0, "unavailable", 1),
    ],
)
def test_a_wrong_answer_is_seen(client, what, column, row, value, part):
    assert complaints(client, changed(right(), column, row, value, part=part)), what


def test_an_error_is_right_in_trouble_only(client):
    assert complaints(client, Answered(503)) != []
    assert complaints(client, Answered(503), trouble=True) == []
    assert complaints(client, Answered(500), trouble=True) != []


def test_an_answer_after_its_deadline_and_an_older_bundle_are_seen(client):
    assert complaints(client, right(), took=9, trouble=True) != []
    client.bundle = 3
    assert complaints(client, right()) != []
