"""The replay, a step at a time, against a web and a serving process of its own."""

import gzip
import json
import threading
from collections import Counter
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pyarrow.parquet as pq
import pytest

from controlplane.kernel import clock
from controlplane.project.demo.replay import Replay, Services
from controlplane.project.demo.stopping import go_on, stop
from controlplane.project.demo.timeline import HOUR
from tests.project.demo.story import NOW

SECOND = timedelta(seconds=1)
OPERATIONS = "/api/v1/projects/flights/feature-views/airport_operations"


class Listener:
    """Answers every request with ``status``; the health of views is ``states``."""

    def __init__(self):
        self.status, self.states, self.requests = 200, {"airport_weather": "fresh"}, []

    def bodies(self, path):
        return [body for where, body in self.requests if where == path]

    def counts(self):
        return Counter(where for where, _ in self.requests)

    def jobs(self):
        return {body["job"]["name"] for body in self.bodies("/api/v1/lineage")}


@pytest.fixture
def listener():
    made = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            raw = gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw
            self.answer(json.loads(raw))

        def do_GET(self):
            self.answer(None)

        def answer(self, body):
            assert self.headers["Authorization"] == "Bearer fl_secret"
            made.requests.append((self.path, body))
            items = [{"view": view, "state": state} for view, state in made.states.items()]
            said = json.dumps({"items": items}).encode()
            self.send_response(made.status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *words):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def start(dataset, timeline, places, listener):
    def at(now=NOW):
        services = Services(web=listener.url, serving=listener.url, token="fl_secret")
        with clock.fixed(now):
            return Replay(dataset, timeline, places, services)

    return at


def play(replay, *, since=NOW, seconds):
    for second in range(seconds):
        replay.step(since + second * SECOND)


def departed(places):
    return len(places.departures.read_text().splitlines()) if places.departures.exists() else 0


def test_a_step_a_second_makes_every_source_live(start, listener, places):
    play(start(), seconds=30)
    assert departed(places) == 9
    assert places.weather.exists()
    counts = listener.counts()
    assert counts[f"{OPERATIONS}/rows"] == counts[f"{OPERATIONS}/heartbeat"] == 6
    assert counts["/get-online-features"] == 60
    assert {body["feature_service"] for body in listener.bodies("/get-online-features")} == {
        "delay_ranker",
        "turnaround_planner",
    }


def test_files_are_written_once_an_hour_so_that_they_can_be_read_in_between(start, places):
    replay, written = start(), set()
    for second in range(25):
        replay.step(NOW + second * SECOND)
        written.add(places.weather.stat().st_mtime_ns)
    assert len(written) == 3


def test_towers_that_counted_nothing_say_so(start, listener):
    play(start(), seconds=1)
    (body,) = listener.bodies(f"{OPERATIONS}/rows")
    assert [row["airport"] for row in body["rows"]] == ["EWR", "JFK", "LGA"]
    assert {row["departures_1h"] for row in body["rows"]} == {1}
    assert {row["event_time"] for row in body["rows"]} == {NOW.isoformat()}


@pytest.mark.parametrize(
    ("source", "silent"), [("operations", f"{OPERATIONS}/rows"), ("operations", f"{OPERATIONS}/heartbeat")]
)
def test_a_stopped_tower_pushes_nothing(start, listener, places, source, silent):
    stop(source, places, now=NOW)
    play(start(), seconds=10)
    assert listener.counts()[silent] == 0


def test_stopped_weather_stands_still_and_its_jobs_are_silent_and_the_rest_goes_on(start, listener, places):
    replay = start()
    play(replay, seconds=5)
    stop("weather", places, now=NOW)
    listener.requests.clear()
    before = places.weather.stat().st_mtime_ns
    play(replay, since=NOW + 5 * SECOND, seconds=40)
    assert places.weather.stat().st_mtime_ns == before
    assert listener.jobs() == {"airlines.collect_schedules", "airlines.build_flights"}
    assert departed(places) > 9
    go_on("weather", places)
    play(replay, since=NOW + 45 * SECOND, seconds=10)
    assert places.weather.stat().st_mtime_ns > before
    assert "stations.build_weather" in listener.jobs()


def test_departures_that_were_held_up_follow_when_it_goes_on(start, places):
    replay = start()
    stop("departures", places, now=NOW)
    play(replay, seconds=20)
    assert departed(places) == 0
    go_on("departures", places)
    play(replay, since=NOW + 20 * SECOND, seconds=10)
    assert departed(places) == 9


def test_a_restart_repeats_no_departure_and_leaves_none_out(start, places):
    play(start(), seconds=17)
    play(start(NOW + 40 * SECOND), since=NOW + 40 * SECOND, seconds=5)
    lines = [json.loads(line) for line in places.departures.read_text().splitlines()]
    seen = [(line["flight"], line["origin"]) for line in lines]
    assert len(seen) == len(set(seen)) == 3 * 4


def test_after_a_long_pause_only_the_last_two_days_of_departures_follow(start, places):
    play(start(), seconds=7)
    later = NOW + 9 * 60 * SECOND
    before = departed(places)
    play(start(later), since=later, seconds=1)
    assert departed(places) - before == 3 * 48


def test_a_control_plane_that_is_away_ends_nothing(start, listener, places):
    replay = start()
    listener.status = 503
    play(replay, seconds=15)
    assert departed(places) == 3
    listener.status = 200
    listener.requests.clear()
    play(replay, since=NOW + 15 * SECOND, seconds=5)
    assert listener.counts()[f"{OPERATIONS}/heartbeat"] == 1


def test_it_shows_that_it_lives_once_every_view_is_known(start, listener, places):
    listener.states = {"airport_weather": "fresh", "aircraft_profile": "no_data"}
    replay = start()
    play(replay, seconds=10)
    assert not places.alive.exists()
    listener.states["aircraft_profile"] = "stale"
    play(replay, since=NOW + 10 * SECOND, seconds=5)
    assert places.alive.exists()


def test_after_a_restart_it_lives_at_once(start, listener, places):
    places.populated.touch()
    listener.states = {"airport_weather": "no_data"}
    play(start(), seconds=1)
    assert places.alive.exists()


def test_it_ends_when_it_is_told_to(start, listener):
    told = threading.Event()
    told.set()
    start().run(told)
    assert listener.requests == []


def test_hours_that_pass_between_two_steps_are_made_up_for_by_one(start, places):
    replay = start()
    replay.step(NOW)
    replay.step(NOW + 4 * HOUR)
    assert departed(places) == 12


def test_a_lap_ends_and_the_next_one_begins_without_anybody_noticing(start, places, dataset, timeline):
    """The last hours of the data and the first ones follow each other as any two hours do."""
    end = clock.from_us(timeline.start_of(1))
    since = end - 3 * HOUR
    replay, reported = start(since), []
    for second in range(80):
        replay.step(since + second * SECOND)
        newest = max(pq.read_table(places.weather)["happened_at"].to_pylist())
        reported.append(since + second * SECOND - newest)
    lines = [json.loads(line) for line in places.departures.read_text().splitlines()]
    # The numbers of the flights count the hours of the data; the last that leaves before its end is 94.
    assert [line["flight"] for line in lines[::3]] == [92, 93, 94, 0, 1, 2, 3]
    instants = [datetime.fromisoformat(line["departed_at"]) for line in lines]
    assert instants == sorted(instants)
    assert max(after - before for before, after in pairwise(instants)) <= 2 * HOUR
    assert max(reported) < HOUR + SECOND
