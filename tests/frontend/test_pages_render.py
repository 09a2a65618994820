"""Every page in every state, rendered without a database: what must be said is said, nothing is markup."""

import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory

from controlplane.kernel import clock
from frontend.records.home import calm, verdict
from frontend.records.view import ViewPage
from tests.frontend import story, story_settings, story_view, story_work
from tests.frontend.cases import CASES, CONTEXT, LONG, Case

pytestmark = [pytest.mark.urls("tests.frontend.gallery_urls"), pytest.mark.usefixtures("built")]
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Structure(HTMLParser):
    """Checks nesting and collects what the rules below ask about."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in names:
            self.ids.append(names["id"])
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.inline += [name for name in names if name == "style" or name.startswith("on")]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> inside {self.open[-3:]}")
        else:
            self.open.pop()


def render(case: Case) -> str:
    request = RequestFactory().get("/somewhere", headers={"host": "127.0.0.1"})
    context = {"page": case.page, "shell": case.shell, "active": case.active, **CONTEXT, **case.extra}
    with clock.fixed(story.NOW):
        return render_to_string(f"frontend/{case.template}", context, request)


def words(html: str) -> str:
    text = re.sub(r"<script.*?</script>|<[^>]+>", " ", html, flags=re.S)
    return " ".join(text.split())


@pytest.mark.parametrize("name", CASES)
def test_a_page_is_well_formed_has_one_main_heading_and_nothing_inline(name):
    structure = Structure()
    structure.feed(render(CASES[name]))
    assert structure.wrong == []
    assert structure.open == []
    assert structure.headings.count(1) == 1
    assert structure.inline == []
    assert len(structure.ids) == len(set(structure.ids)), "an id is used twice"


@pytest.mark.parametrize("name", CASES)
def test_what_people_wrote_never_becomes_markup(name):
    case = CASES[name]
    html = render(replace(case, page=hostile(case.page)))
    assert "<script>alert" not in html


def hostile(value):
    """The same record with a script in every name and sentence."""
    if isinstance(value, tuple):
        return tuple(hostile(each) for each in value)
    if not is_dataclass(value):
        return value
    told = {
        "name",
        "title",
        "cause",
        "detail",
        "reason",
        "text",
        "owner",
        "description",
        "message",
        "value",
        "note",
    }
    if isinstance(value, ViewPage):
        told -= {"name"}  # checked when it is registered, and part of addresses
    changes = {}
    for field in fields(value):
        held = getattr(value, field.name)
        if isinstance(held, str) and field.name in told and held:
            changes[field.name] = LONG
        elif isinstance(held, tuple) or is_dataclass(held):
            changes[field.name] = hostile(held)
    return replace(value, **changes)


def test_home_says_what_is_broken_why_and_for_whom():
    text = words(render(CASES["home-broken"]))
    assert "2 stale, 1 late of your 38 feature views, oldest since 13:17 (27 min)" in text
    assert "Cause source weather_files stopped 13:02 2 views" in text
    assert "42 min of 15 min 2.8x" in text
    assert "grace is on it" in text


def test_home_without_views_shows_the_steps_and_no_verdict_of_health():
    text = words(render(CASES["home-empty"]))
    assert "No feature views yet" in text
    assert "freshline apply definition.yaml" in text
    assert "fresh." not in text.lower().replace("freshline", "")


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({"fresh": 38}, "All 38 of your feature views are fresh"),
        ({"fresh": 1}, "Your only feature view is fresh"),
        ({"fresh": 36, "no_data": 2}, "36 fresh, 2 no data"),
        ({"fresh": 36, "stale": 2}, "2 of your 38 feature views are stale"),
        ({"fresh": 37, "late": 1}, "1 of your 38 feature views is late"),
        ({"no_data": 3}, "0 fresh, 3 no data"),
        ({}, "You own no feature views"),
    ],
)
def test_the_verdict_never_praises_what_nobody_knows(counts, text):
    assert verdict(counts, scope="mine") == text


@pytest.mark.parametrize(
    ("counts", "incidents", "text"),
    [
        ({"fresh": 3}, 0, "Nothing is broken."),
        ({"fresh": 3}, 1, "No view is broken. 1 incident open."),
        ({"fresh": 3, "no_data": 2}, 0, "Nothing is known to be broken: 3 fresh, 2 no data."),
        ({"no_data": 6, "paused": 1}, 5, "Nothing is known: 6 no data, 1 paused. 5 incidents open."),
        ({"no_data": 1}, 0, "Nothing is known: 1 no data."),
    ],
)
def test_where_nothing_is_known_home_does_not_say_that_nothing_is_broken(counts, incidents, text):
    assert calm(counts, incidents=incidents) == text


def test_a_stale_view_outweighs_everything_in_the_verdict():
    told = verdict({"fresh": 30, "no_data": 4, "paused": 1, "stale": 1, "missing": 2}, scope="all")
    assert told == "2 missing, 1 stale of 38 feature views"


def test_a_watcher_that_is_behind_is_told_on_every_page_that_has_it():
    for name in ("home-huge", "catalogue-huge", "incident-huge", "system-broken"):
        assert "Monitoring itself is behind" in words(render(CASES[name]))


def test_the_incident_names_cause_consumers_and_the_failed_delivery():
    html = render(CASES["incident-broken"])
    text = words(html)
    assert "confidence high: first bad in time and most upstream" in text
    assert "lag 41 min, nothing new since 13:02" in text
    assert html.index("weather_files") < html.index("delay_v3")
    assert "pd-weather answered 503" in text
    assert "410 lookups/min, 62.0 % affected" in text


def test_an_incident_without_a_cause_says_so():
    text = words(render(CASES["incident-unknown"]))
    assert "Cause unknown" in text
    assert "Nothing upstream failed" in text


def test_nobody_below_operator_is_offered_what_they_may_not_do():
    viewer = story.shell(role="viewer", may_operate=False, may_audit=False)
    pages = {
        "incident.html": story_work.incident_page(may_operate=False),
        "view.html": story_view.view_page(may_operate=False),
        "run.html": story_work.run_page(may_operate=False),
        "home.html": story.home_page(),
        "channels.html": story_settings.channels_page(
            channels=(replace(story_settings.CHANNEL, may_edit=False),),
            silences=(),
            may_administer=False,
            may_serve_all=False,
        ),
    }
    for template, page in pages.items():
        html = render(Case(template, page, shell=viewer))
        main = html.split("<main")[1]
        assert 'method="post"' not in main, template


def test_silence_is_proved_when_there_is_no_incident():
    assert "38 views monitored, last probe 12 s ago" in words(render(CASES["incidents-empty"]))


def test_a_search_without_result_offers_the_nearest_name():
    text = words(render(CASES["catalogue-nothing"]))
    assert "Nothing matches “drivr”" in text
    assert "Did you mean hourly_weather" in text


def test_the_matched_part_of_a_name_is_marked():
    assert "<mark>wind</mark>_0" in render(CASES["catalogue-features"])


def test_every_verdict_is_told_with_its_reason_and_what_serving_did():
    text = words(render(CASES["playground-answered"]))
    for part in (
        "age 42 min above the maximum age 15 min of contract v7",
        "Missing no row for this key",
        "Invalid below the minimum 0",
        "Unavailable",
        "Rejected",
        "Answered in 3.2 ms",
    ):
        assert part in text


def test_the_secret_of_a_token_is_shown_only_when_it_was_just_made():
    assert "fl_abcdefghijklmnop" in render(CASES["tokens-made"])
    assert 'data-testid="token-secret"' not in render(CASES["tokens-normal"])


def test_the_secret_of_a_channel_is_never_put_back_into_the_form():
    html = render(CASES["channels-broken"])
    field = re.search(r'<input id="channel-secret"[^>]*>', html)[0]
    assert "value=" not in field
    assert 'type="password"' in field


def test_a_failed_run_shows_the_error_first():
    html = render(CASES["run-broken"])
    assert html.index("connection refused") < html.index("Phases")
    assert "the same error 3 times in 24 h" in words(html)


def test_the_title_of_the_window_counts_my_incidents():
    assert "<title>(1) hourly_weather – Stale – Freshline</title>" in render(CASES["view-broken"])


def test_every_time_has_its_exact_instant():
    for element in re.findall(r"<time [^>]*>", render(CASES["home-broken"])):
        assert re.search(r'datetime="2026-11-2\dT[\d:]+Z"', element)
        assert " UTC" in element
