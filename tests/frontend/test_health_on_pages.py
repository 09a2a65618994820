"""What monitors know stands on the pages of views, and what is wrong with the watching on every page."""

import re
from datetime import timedelta

import pytest

from controlplane.kernel import clock
from monitors.models import Channel, Monitor, ViewWatch
from monitors.services import incidents
from monitors.services.beats import beat
from tests.frontend.live import text_of, words
from tests.monitors.story import MINUTE, NOON, breach, cause, monitor, recover, slack

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "flights")]
HOME, CATALOGUE = "/p/flights/", "/p/flights/features"
VIEW = "/p/flights/features/carrier_delays"
PLACES = (HOME, CATALOGUE, VIEW)
EVERYWHERE = (*PLACES, "/p/flights/incidents", "/p/flights/lineage", "/settings/channels", "/settings/system")


@pytest.fixture
def stale(flights):
    """The story's view is 50 min old, as its monitor last saw it."""
    slack()
    monitor(value=3_000.0)
    return breach(causes=[cause()])


@pytest.mark.parametrize("address", PLACES)
def test_a_stale_view_is_shown_stale_with_its_age_and_not_as_unknown(stale, viewer, address):
    main = text_of(viewer.get(address)).split("<main")[1]
    assert 'data-state="stale"' in main
    assert "50 min" in words(viewer.get(address))
    rows = re.findall(r"<tr [^>]*data-key=\"carrier_delays\".*?</tr>", main, re.S)
    assert all('data-state="no_data"' not in row for row in rows)
    assert rows or address == VIEW


def test_home_names_the_incident_its_cause_and_who_is_on_it(stale, viewer):
    told = words(viewer.get(HOME))
    assert "1 of 1 feature view is stale" in told
    assert "Cause refine failed: disk full" in told
    assert f"INC-{stale.number}" in told
    assert "0 No data" not in told.split("Broken now")[1]
    incidents.acknowledge(stale.number, actor="grace", now=NOON + MINUTE)
    assert "grace is on it" in words(viewer.get(HOME))


def test_the_page_of_the_view_begins_with_the_incident(stale, viewer):
    html = text_of(viewer.get(VIEW))
    banner = re.search(r'<aside class="note banner".*?</aside>', html, re.S)[0]
    assert f'href="/p/flights/incidents/INC-{stale.number}"' in banner
    assert "refine failed: disk full" in banner
    assert "2 consumers affected" in banner
    assert "<title>carrier_delays – Stale – Freshline</title>" in html


def test_the_catalogue_finds_what_is_stale(stale, viewer):
    assert "carrier_delays" in words(viewer.get(f"{CATALOGUE}?state=stale"))
    assert "Nothing matches" in words(viewer.get(f"{CATALOGUE}?state=no_data"))


def test_a_child_is_shown_with_the_incident_that_explains_it(viewer):
    root_incident = breach("gate_delays", causes=[cause()])
    child = breach(causes=[cause()])
    banner = re.search(r'<aside class="note banner".*?</aside>', text_of(viewer.get(VIEW)), re.S)[0]
    assert f"INC-{root_incident.number}<" in banner
    assert f"INC-{child.number}<" not in banner


def test_what_recovered_is_no_longer_called_broken(stale, viewer):
    with clock.fixed(NOON + 2 * MINUTE):
        recover(stale, now=NOON + 2 * MINUTE)
        Monitor.objects.update(last_at=NOON + 2 * MINUTE, evaluated_at=NOON + 2 * MINUTE)
        told = words(viewer.get(HOME))
    assert "The only feature view is fresh" in told
    assert "banner" not in text_of(viewer.get(VIEW)).split("<main")[1]


@pytest.mark.parametrize("address", EVERYWHERE)
def test_an_overdue_evaluation_is_told_on_every_page(viewer, address):
    slack()
    evaluated = NOON + MINUTE + timedelta(seconds=50)
    monitor(evaluated_at=evaluated, last_at=evaluated, due_at=NOON + 3 * MINUTE)
    assert "Monitoring itself is behind" not in text_of(viewer.get(address))
    late = NOON + 12 * MINUTE
    for loop in ("judge", "probe", "notify"):
        beat(loop, now=late)
    with clock.fixed(late):
        told = text_of(viewer.get(address))
    assert "Monitoring itself is behind: 1 monitor overdue. States may be out of date." in told


def test_a_view_that_nobody_looks_at_any_more_is_not_called_fresh(viewer):
    monitor(evaluated_at=NOON, last_at=NOON)
    with clock.fixed(NOON + timedelta(hours=1)):
        assert "0 fresh, 1 no data" in words(viewer.get(HOME))
        for address in (CATALOGUE, VIEW):
            assert 'data-state="fresh"' not in text_of(viewer.get(address)).split("<main")[1]


@pytest.mark.parametrize("address", EVERYWHERE)
def test_a_channel_that_refuses_everything_is_told_on_every_page(viewer, address):
    row = slack()
    assert 'data-testid="bar"' not in text_of(viewer.get(address))
    Channel.objects.filter(pk=row.pk).update(broken_at=NOON, last_error="HTTP 404 no_service")
    assert "Channel chat refuses every message and has no fallback." in text_of(viewer.get(address))


@pytest.mark.parametrize("address", EVERYWHERE)
def test_that_nobody_would_be_told_is_told_on_every_page(viewer, address):
    assert "No team has a channel: an incident would reach nobody." in text_of(viewer.get(address))


def test_home_does_not_call_unbroken_what_nobody_knows_of(flights, viewer):
    breach(service="delay_ranker")
    ViewWatch.objects.update(paused=True, probed_at=NOON)
    told = words(viewer.get("/p/flights/"))
    assert "Nothing is broken" not in told
    assert "Nothing is known:" in told and "1 incident open." in told
