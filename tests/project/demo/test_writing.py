"""The files and the stream as a reader finds them."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from controlplane.ingestion.sources.jsonl import JsonLines
from controlplane.project.demo import writing
from controlplane.project.demo.timeline import DAY, HOUR
from controlplane.project.demo.writing import Writer
from tests.project.demo.story import NOW


@pytest.fixture
def writer(dataset, timeline, places):
    return Writer(dataset, timeline, places)


def flights_on_disk(places):
    rows = [row for path in places.flights.glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    return sorted((row["happened_at"], row["tailnum"]) for row in rows)


def departed(places):
    return [json.loads(line) for line in places.departures.read_text().splitlines()]


@pytest.mark.parametrize("hours", [0, 1, 5, 24, 25, 30, 50])
def test_the_two_files_of_flights_hold_each_flight_once_whenever_they_were_written(
    writer, places, dataset, timeline, hours
):
    for hour in range(hours + 1):
        writer.write_flights(NOW + hour * HOUR)
    until = NOW + hours * HOUR
    wanted = dataset.departures(timeline, after=until - 364 * DAY, until=until)
    found = flights_on_disk(places)
    assert len(found) == len(set(found)) == len(wanted)
    assert sorted(path.name for path in places.flights.iterdir()) == ["history.parquet", "live.parquet"]


def test_after_a_pause_the_files_are_as_they_are_by_now(dataset, timeline, places):
    Writer(dataset, timeline, places).write_flights(NOW)
    later = NOW + 30 * HOUR
    Writer(dataset, timeline, places).write_flights(later)
    assert max(at for at, _ in flights_on_disk(places)) > later - HOUR


def test_the_weather_file_reaches_back_eight_days(writer, places):
    writer.write_weather(NOW)
    instants = pq.read_table(places.weather)["happened_at"].to_pylist()
    assert max(instants) == NOW
    assert min(instants) > NOW - 8 * DAY


def test_the_stream_grows_by_what_left_and_knows_where_it_ended(writer, places):
    assert writer.last_departure() is None
    assert writer.append_departures(after=NOW, until=NOW + HOUR) == 3
    assert writer.append_departures(after=NOW + HOUR, until=NOW + 2 * HOUR) == 3
    lines = departed(places)
    assert [line["flight"] for line in lines] == [37] * 3 + [38] * 3
    assert writer.last_departure().isoformat() == lines[-1]["departed_at"]
    assert lines[0]["delay"] == {"departure": 10.0}


def test_a_stream_that_goes_on_from_its_end_has_each_flight_once(writer, places):
    writer.append_departures(after=NOW, until=NOW + 7 * HOUR + timedelta(seconds=6))
    writer.append_departures(after=writer.last_departure(), until=NOW + 20 * HOUR)
    found = [(line["flight"], line["origin"]) for line in departed(places)]
    assert len(found) == len(set(found))


def test_nothing_is_written_when_nothing_left(writer, places):
    places.departures.touch()
    assert writer.append_departures(after=NOW, until=NOW + timedelta(milliseconds=1)) == 0
    assert places.departures.read_text() == ""
    assert writer.last_departure() is None


class Lane:
    """Reads the stream as the lane does, and keeps every flight that it was given."""

    def __init__(self, places):
        self._source, self._cursor = JsonLines(places.departures), None
        self.flights = []

    def read_all(self):
        while True:
            chunk = self._source.read("0", self._cursor, limit=2, skip_gap=False)
            self._cursor = chunk.cursor
            found = [json.loads(event.payload) for event in chunk.events]
            self.flights += [(flight["departed_at"], flight["flight"], flight["origin"]) for flight in found]
            if not found:
                return


def test_the_stream_is_rotated_and_the_lane_misses_no_flight(writer, places, dataset, timeline, monkeypatch):
    monkeypatch.setattr(writing, "ROTATE_AT_BYTES", 2_000)
    lane, sizes = Lane(places), []
    for hour in range(60):
        writer.append_departures(after=NOW + hour * HOUR, until=NOW + (hour + 1) * HOUR)
        if places.departures.exists():
            lane.read_all()
            sizes.append(sum(path.stat().st_size for path in places.data.glob("departures*")))
    wanted = dataset.departures(timeline, after=NOW, until=NOW + 60 * HOUR)
    assert len(lane.flights) == len(set(lane.flights)) == len(wanted)
    assert max(sizes) < 2 * 3_000 < sum(len(str(flight)) for flight in lane.flights)
    assert sorted(path.name for path in places.data.glob("departures*")) == [
        "departures.jsonl",
        "departures.jsonl.1",
    ]


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_a_kill_while_the_stream_is_rotated_loses_no_flight_and_doubles_none(
    dataset, timeline, places, monkeypatch, done
):
    monkeypatch.setattr(writing, "ROTATE_AT_BYTES", 1)
    Writer(dataset, timeline, places).append_departures(after=NOW, until=NOW + HOUR)
    lane = Lane(places)
    lane.read_all()

    steps = []

    def until_killed(step):
        def one_more(*paths):
            if len(steps) == done:
                raise KeyboardInterrupt
            steps.append(step)
            return step(*paths)

        return one_more

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        for owner, step in ((Path, "write_bytes"), (os, "link"), (Path, "replace")):
            patched.setattr(owner, step, until_killed(getattr(owner, step)))
        Writer(dataset, timeline, places).append_departures(after=NOW + HOUR, until=NOW + 2 * HOUR)
    after = Writer(dataset, timeline, places)
    after.append_departures(after=after.last_departure(), until=NOW + 2 * HOUR)
    lane.read_all()
    wanted = dataset.departures(timeline, after=NOW, until=NOW + 2 * HOUR)
    assert len(lane.flights) == len(set(lane.flights)) == len(wanted)
