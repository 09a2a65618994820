"""Loading the demo: once, again, after a pause, and over what people changed meanwhile."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.contrib.auth import authenticate

from controlplane.accounts import selectors as accounts
from controlplane.accounts.models import AuditEntry
from controlplane.accounts.services import tokens
from controlplane.contracts.definition import parse
from controlplane.ingestion.models import IngestionRun
from controlplane.kernel import clock
from controlplane.project.demo import definition, loading
from controlplane.project.demo.stopping import SOURCES, stop
from controlplane.project.demo.timeline import HOUR
from controlplane.registry import selectors as registry
from controlplane.registry.models import Bundle
from controlplane.registry.services import applying
from monitors.models import Channel, Silence, TeamChannel
from tests.project.demo.story import NOW
from tools.places import ROOT

pytestmark = pytest.mark.django_db
PROJECT = definition.PROJECT


@pytest.fixture
def load(dataset, places, settings):
    settings.FRESHLINE_EGRESS_ALLOW = ["127.0.0.1"]

    def at(now=NOW):
        with clock.fixed(now):
            return loading.load(places, dataset)

    return at


def mtimes(places):
    return {path.name: path.stat().st_mtime_ns for path in places.data.rglob("*") if path.is_file()}


def test_it_makes_a_project_that_the_login_and_the_token_may_use(load, places):
    welcome = load()
    assert {record.name for record in registry.list_views(PROJECT)} == {
        "airport_weather",
        "airport_weather_trend",
        "carrier_delays",
        "aircraft_profile",
        "carrier_departures",
        "airport_operations",
    }
    user = authenticate(username=welcome.login, password=welcome.password)
    assert accounts.principal_of_user(user).role_in(PROJECT).word == "editor"
    secret = Path(welcome.token_file).read_text().strip()
    token = accounts.principal_of_token(tokens.digest_of(secret), now=NOW)
    assert token.projects == {PROJECT}
    assert Path(welcome.token_file).stat().st_mode & 0o777 == 0o600
    assert (welcome.stopped, welcome.pause) == ("", "")


def test_every_team_hears_by_slack_and_pagerduty_of_the_receiver(load, places):
    welcome = load()
    assert {row.kind for row in Channel.objects.all()} == {"slack_webhook", "pagerduty"}
    assert TeamChannel.objects.count() == 2 * len(definition.TEAMS)
    assert welcome.messages_url == f"http://127.0.0.1:{places.receiver_port.read_text().strip()}/"


def test_first_values_are_not_waited_for(load):
    load()
    assert set(IngestionRun.objects.values_list("view", "state", "requested_by")) == {
        (view, "queued", "demo")
        for view in ("airport_weather", "airport_weather_trend", "carrier_delays", "aircraft_profile")
    }


def test_loading_again_changes_nothing_but_the_files(load, places):
    first = load()
    before = (Bundle.objects.count(), AuditEntry.objects.count(), IngestionRun.objects.count())
    token, files = places.token.read_text(), mtimes(places)
    assert load(NOW + 3 * HOUR) == first
    assert (Bundle.objects.count(), AuditEntry.objects.count(), IngestionRun.objects.count()) == before
    assert places.token.read_text() == token
    changed = {name for name, at in mtimes(places).items() if files[name] != at}
    assert {"weather.parquet", "live.parquet"} <= changed


def test_what_a_person_changed_stays_changed(load, places):
    load()
    document = definition.read_definition()
    document["feature_views"][0]["freshness"] = {"max_age": "2m"}
    author = applying.Author(name="a person", may_create_projects=True)
    applying.apply_definition(PROJECT, document, author=author, now=NOW)
    load()
    assert registry.find_view(PROJECT, "airport_weather").view.terms.max_age == timedelta(minutes=2)


def test_a_token_that_was_revoked_is_replaced(load, places):
    load()
    before = places.token.read_text()
    maker = accounts.principal_of_user(authenticate(username=loading.LOGIN, password=loading.PASSWORD))
    (row,) = accounts.tokens_of(maker)
    tokens.revoke_token(maker, row.pk, now=NOW)
    load()
    assert places.token.read_text() != before


def test_a_stopped_source_stays_stopped_and_is_told(load, places):
    load()
    stop("weather", places, now=NOW)
    before = places.weather.stat().st_mtime_ns
    assert load(NOW + 10 * HOUR).stopped == "weather"
    assert places.weather.stat().st_mtime_ns == before


def was_alive(places, at):
    places.alive.parent.mkdir(exist_ok=True)
    places.alive.touch()
    os.utime(places.alive, (at.timestamp(), at.timestamp()))


def test_after_a_pause_nobody_is_paged_for_a_while_and_that_is_said(load, places):
    load()
    was_alive(places, NOW)
    later = NOW + timedelta(hours=3)
    assert load(later).pause == "away for 3h; it catches up, and pages nobody for 2m"
    silence = Silence.objects.get()
    assert (silence.project, silence.starts_at, silence.ends_at) == (
        PROJECT,
        later,
        later + timedelta(minutes=2),
    )
    assert "away for 3h" in silence.reason


def test_loading_beside_a_replay_that_lives_mutes_nothing(load, places):
    load()
    was_alive(places, NOW)
    assert load(NOW + timedelta(seconds=6)).pause == ""
    assert not Silence.objects.exists()


def test_the_definition_is_accepted_by_itself():
    parsed = parse(definition.read_definition(), project=PROJECT)
    assert {view.owner for view in parsed.feature_views} <= set(definition.TEAMS)
    assert set(SOURCES) | {"planes"} == {source.name for source in parsed.sources}


def test_the_page_of_the_demo_says_when_its_views_are_late_and_stale():
    said = {}
    for line in (ROOT / "docs" / "demo.md").read_text().splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        if len(cells) == 6 and cells[4] != "late after":
            said[cells[0]] = [cell.replace(" ", "").replace("min", "m") for cell in (cells[4], cells[5])]
    said.pop("---")
    views = yaml.safe_load(definition.FILE.read_text())["feature_views"]
    assert said == {
        view["name"]: [view["freshness"]["warn_after"], view["freshness"]["max_age"]] for view in views
    }
