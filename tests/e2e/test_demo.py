"""The demo as its page tells it: real data, real processes; a source stops, one page goes out, it recovers.

One story on one installation, told in order.
"""

import re
import subprocess
import time
from functools import partial

import httpx
import pytest

from tests.e2e import house as houses
from tests.e2e.house import House
from tools.places import ROOT, VENV

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
eventually = partial(houses.eventually, every=0.5)
PROJECT = "flights"
WEATHER = ("airport_weather", "airport_weather_trend")
GOLD = "dataset:s3://lake|gold/weather"
DOCS = (ROOT / "docs" / "demo.md").read_text()
COMMANDS = re.search(r"^```sh\n(.+?)^```", (ROOT / "docs/reference/cli.md").read_text(), re.M | re.S)[1]
BREAK, MESSAGES, FIX = re.findall(r"^\./dev demo (.+)$", DOCS, re.M)


class Demo:
    """The demo of one installation, seen as a person with its login and its token sees it."""

    def __init__(self, house):
        self.house = house
        self.said = house.up()
        house.token = (house.home / "demo" / "token").read_text().strip()
        self.browser = httpx.Client(base_url=house.web, follow_redirects=True, trust_env=False, timeout=30)

    def sign_in(self, name, password):
        form = self.browser.get("/sign-in").text
        csrf = re.search(r'csrfmiddlewaretoken" value="([^"]+)', form)[1]
        wishes = {"csrfmiddlewaretoken": csrf, "username": name, "password": password}
        return self.browser.post("/sign-in", data=wishes, headers={"Referer": self.house.web})

    def page(self, path):
        answer = self.browser.get(f"/p/{PROJECT}/{path}")
        assert answer.status_code == 200, answer.text[:500]
        return answer.text

    def health(self):
        status, answer = self.house.api("GET", f"projects/{PROJECT}/health")
        assert status == 200, answer
        return {one["view"]: one["state"] for one in answer["items"]}

    def weather(self):
        states = self.health()
        return {states[view] for view in WEATHER}

    def incidents(self):
        return self.house.api("GET", f"projects/{PROJECT}/incidents?state=open")[1]["items"]

    def messages(self):
        """Return (kind, action) of what the receiver got, in order, and the bodies."""
        url = re.search(r"Messages\s+(http://\S+?)/ ", self.said)[1]
        found = httpx.get(f"{url}/messages", trust_env=False).json()
        return [(one["kind"], one["body"].get("event_action", "")) for one in found], found

    def lookup(self, service, entities):
        status, answer = self.house.lookup(
            "get-online-features",
            {"feature_service": service, "entities": entities},
            Freshline_Project=PROJECT,
        )
        assert status == 200, answer
        names = answer["metadata"]["feature_names"]
        return {
            name: (column["values"][0], column["statuses"][0])
            for name, column in zip(names, answer["results"], strict=True)
        }


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("e2e") / "home", demo=True)
    try:
        yield Demo(house)
    finally:
        house.down()


def test_up_ends_with_values_in_every_view_and_says_where_to_look(demo):
    assert "no_data" not in set(demo.health().values())
    login, password = re.search(r"sign in as (\w+) / (\S+)", demo.said).groups()
    assert demo.house.token in demo.said
    assert demo.sign_in(login, password).url.path == f"/p/{PROJECT}/"


def test_the_three_lanes_serve_what_the_two_models_ask_for(demo):
    ranked = demo.lookup("delay_ranker", {"carrier": ["UA"], "airport": ["JFK"]})
    # A cancelled flight has no delay, and one report of the year no temperature.
    assert {status for _, status in ranked.values()} <= {"PRESENT", "NULL_VALUE"}
    assert ranked["avg_dep_delay"][1] == "PRESENT"
    assert -43 <= ranked["avg_dep_delay"][0] <= 1_301  # as the year's shortest and longest delays

    def planned():
        """On a busy machine a run may be late, and then the planner rejects the row."""
        found = demo.lookup("turnaround_planner", {"tail": ["N725MQ"], "airport": ["EWR"]})
        return found["flights_total"] if found["flights_total"][1] == "PRESENT" else None

    assert eventually(planned, within=60)[0] > 100


def test_healthy_pages_say_what_the_api_says(demo):
    eventually(lambda: set(demo.health().values()) == {"fresh"}, within=60)
    assert demo.incidents() == []
    assert demo.messages()[0] == []
    said_alike(demo)


def test_the_page_of_the_command_line_can_be_typed_as_it_stands(demo, tmp_path):
    (tmp_path / ".venv").symlink_to(VENV)
    (tmp_path / ".freshline").symlink_to(demo.house.home)
    typed = COMMANDS.replace("http://127.0.0.1:8000", demo.house.web)
    assert typed.count(demo.house.web) == 1
    done = subprocess.run(
        ["sh", "-euxc", typed],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "FRESHLINE_SERVING_URL": demo.house.serving},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("is ready", "Nothing changes.", "0 refused", "avg_dep_delay", "stored_value", "STATE"):
        assert said in done.stdout, done.stdout + done.stderr


def said_alike(demo):
    """Compare home, catalogue and each view's page with the API's health; a state may change in between."""
    for _ in range(5):
        before = demo.health()
        home, catalogue = demo.page(""), demo.page("features")
        views = {view: demo.page(f"features/{view}") for view in before}
        if demo.health() == before:
            break
    for state in ("stale", "late", "fresh"):
        counted = re.search(rf'\?state={state}"(?:(?!<strong>).)*<strong>(\d+)</strong>', home, re.S)
        assert int(counted[1]) == list(before.values()).count(state), state
    assert dict(re.findall(r'data-key="(\w+)" data-state="(\w+)"', catalogue)) == before
    badges = {view: page[page.index('id="badge"') :] for view, page in views.items()}
    assert {view: re.search(r'data-state="(\w+)"', badge)[1] for view, badge in badges.items()} == before


def test_a_stopped_source_is_one_incident_that_names_it_and_one_message_a_channel(demo):
    seen = set()

    def is_stale():
        seen.add(frozenset(demo.weather()))
        return demo.weather() == {"stale"} and demo.incidents()

    began = time.monotonic()
    assert "weather stands still" in demo.house.dev("demo", *BREAK.split())
    eventually(is_stale, within=90)
    assert any("late" in states for states in seen)
    took = time.monotonic() - began

    (incident,) = demo.incidents()
    assert (incident["kind"], incident["cause"]["node"]) == ("stopped_source", GOLD)
    assert "no progress since" in incident["cause"]["reason"]
    eventually(lambda: len(demo.messages()[0]) >= 2, within=15)
    kinds, bodies = demo.messages()
    assert sorted(kinds) == [("pagerduty", "trigger"), ("slack", "")]
    assert all("gold/weather" in str(one["body"]) for one in bodies)
    assert "gold/weather" in demo.house.dev("demo", *MESSAGES.split())
    others = {view: state for view, state in demo.health().items() if view not in WEATHER}
    assert set(others.values()) == {"fresh"}
    assert took < 75  # a minute, and what it takes to ask


def test_lookups_say_so_as_each_service_asked(demo):
    ranked = demo.lookup("delay_ranker", {"carrier": ["UA"], "airport": ["JFK"]})
    assert ranked["temp"] == (55.0, "OUTSIDE_MAX_AGE")  # its default
    assert ranked["avg_dep_delay"][1] == "PRESENT"
    planned = demo.lookup("turnaround_planner", {"tail": ["N725MQ"], "airport": ["EWR"]})
    assert planned["precip"] == (None, "OUTSIDE_MAX_AGE")  # the row is rejected
    assert planned["seats"] == (None, "NULL_VALUE")


def test_the_explorer_traces_the_chain_to_the_stopped_source(demo):
    path = "lineage/graph?node=view:flights/airport_weather&up=4&down=3&trace=cause"
    graph = demo.house.api("GET", path)[1]
    assert graph["cause_path"] == [
        GOLD,
        "job:freshline://flights|airport_weather.batch",
        "view:flights/airport_weather",
    ]
    states = {node["id"]: node["state"] for node in graph["nodes"]}
    assert states[GOLD] == "stale"
    assert states["model:flights/delay-ranker@2026-11"] == "stale"
    assert "job:airflow|stations.build_weather" in states
    page = demo.page("lineage?focus=view:flights/airport_weather&mode=table&trace=cause")
    rows = dict(re.findall(r'data-id="([^"]+)" data-state="(\w+)"', page))
    assert rows[GOLD] == states[GOLD]


def test_pages_of_a_broken_demo_say_what_the_api_says(demo):
    said_alike(demo)


def test_after_the_fix_all_is_fresh_and_the_incident_resolves_with_one_message_a_channel(demo):
    assert "weather goes on" in demo.house.dev("demo", *FIX.split())
    eventually(lambda: demo.weather() == {"fresh"} and not demo.incidents(), within=90)
    eventually(lambda: len(demo.messages()[0]) >= 4, within=15)
    kinds, _ = demo.messages()
    assert sorted(kinds[2:]) == [("pagerduty", "resolve"), ("slack", "")]
    assert demo.house.dev("demo", *FIX.split()).strip() == "weather was not stopped. All go on."


def test_a_pause_pages_nobody_and_what_was_stopped_stays_stopped(demo):
    before = demo.messages()[0]
    demo.house.down()
    assert "takes effect with the next ./dev up" in demo.house.dev("demo", *BREAK.split())
    demo.said = demo.house.up()
    assert "standing still since before: weather" in demo.said
    assert "it catches up, and pages nobody for 2m" in demo.said
    demo.house.token = (demo.house.home / "demo" / "token").read_text().strip()
    demo.house.dev("demo", *FIX.split())
    eventually(lambda: set(demo.health().values()) == {"fresh"} and not demo.incidents(), within=90)
    assert demo.messages()[0] == before
