"""The strip of the last day on Home, over the states that monitors told lineage."""

from collections import Counter
from datetime import timedelta

import pytest

from controlplane.accounts.domain import Role
from controlplane.kernel import clock
from controlplane.registry import selectors as registry
from frontend.readers.day import COLUMNS, read_day
from lineage.services.states import record_state
from tests.frontend.live import person, text_of
from tests.frontend.test_pages_live import apply
from tests.registry.story import FLIGHTS, NOW, flights, view

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "registered")]


@pytest.fixture
def registered(db):
    with clock.fixed(NOW):
        apply(flights(feature_views=[FLIGHTS["feature_views"][0], view(name="v")]))
        yield


def tell(name, state, *, ago, believed_for=60 * 30):
    at = NOW - timedelta(minutes=ago)
    until = at + timedelta(minutes=believed_for)
    record_state(f"view:flights/{name}", state=state, at=at, valid_until=until)


def day():
    columns = read_day(registry.list_summaries("flights"), now=NOW)
    return [dict(column.counts) for column in columns]


def test_nothing_told_is_no_strip(built):
    assert day() == []
    assert "States of the last 24 hours" not in text_of(person("vic", Role.VIEWER).get("/p/flights/"))


def test_a_column_counts_the_state_at_its_end():
    tell("v", "fresh", ago=60)
    tell("v", "stale", ago=25)
    assert day()[-5:] == [{"fresh": 1}, {"fresh": 1}, {"fresh": 1}, {"stale": 1}, {"stale": 1}]
    assert not any(day()[:-5]), "before the first word nobody knows"


def test_views_add_up_and_the_last_column_is_now():
    tell("v", "fresh", ago=3_000)
    tell("carrier_delays", "fresh", ago=3_000, believed_for=4_000)
    tell("v", "missing", ago=1)
    assert len(day()) == COLUMNS
    assert day()[0] == {"fresh": 2}
    assert day()[-1] == {"missing": 1, "fresh": 1}


def test_a_state_that_nobody_vouches_for_any_more_is_not_counted():
    tell("v", "fresh", ago=120, believed_for=31)
    counted = Counter(state for column in day() for state in column)
    assert counted == {"fresh": 3}


def test_home_draws_it_for_the_views_in_scope():
    tell("v", "late", ago=60)
    client = person("vic", Role.VIEWER)
    assert 'class="s-late"' in text_of(client.get("/p/flights/?scope=all"))
    assert 'class="s-late"' not in text_of(client.get("/p/flights/?scope=mine"))
