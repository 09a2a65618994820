"""What of the data set has happened by an instant."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel import clock
from controlplane.project.demo import data
from controlplane.project.demo.timeline import BEGIN, DAY, HOUR
from tests.project.demo import story
from tests.project.demo.story import NOW


def reports(dataset, timeline, folder, *, after, until):
    """Return (instant, airport, temp) of the weather that was reported."""
    draft = dataset.draft("weather", folder / "w.parquet", timeline, after=after, until=until)
    rows = pq.read_table(draft.path).to_pylist()
    return [(row["happened_at"].astimezone(UTC), row["origin"], row["temp"]) for row in rows]


def test_an_hour_of_weather_takes_ten_seconds(dataset, timeline, tmp_path):
    found = reports(dataset, timeline, tmp_path, after=NOW - HOUR, until=NOW + HOUR)
    assert {at for at, _, _ in found} == {NOW, NOW + HOUR}
    assert [temp for at, _, temp in found if at == NOW] == [60 + BEGIN.hour] * 3


def test_what_happens_later_is_not_told_now(dataset, timeline, tmp_path):
    assert reports(dataset, timeline, tmp_path, after=NOW, until=NOW + HOUR - timedelta(microseconds=1)) == []


def test_hours_without_any_report_take_no_time(dataset, timeline, tmp_path):
    found = reports(dataset, timeline, tmp_path, after=NOW, until=NOW + DAY)
    instants = sorted({at for at, _, _ in found})
    assert {after - before for before, after in pairwise(instants)} == {HOUR}
    played = {temp for _, _, temp in found}
    assert 60 + story.SILENT_FROM.hour not in played  # nothing was made up for them either


def test_a_station_that_skips_an_hour_skips_it(dataset, timeline, tmp_path):
    at = NOW + 2 * HOUR
    found = reports(dataset, timeline, tmp_path, after=at - HOUR, until=at)
    assert [airport for _, airport, _ in found] == ["EWR", "LGA"]


def test_after_the_last_report_the_first_comes_an_hour_later(dataset, timeline, tmp_path):
    end = clock.from_us(timeline.start_of(1))
    found = reports(dataset, timeline, tmp_path, after=end - HOUR, until=end + HOUR)
    assert {at for at, _, _ in found} == {end, end + HOUR}
    assert [temp for at, _, temp in found if at > end] == [60 + story.FIRST.hour] * 3


def test_a_flight_happens_when_it_leaves_and_a_cancelled_one_when_it_should_have(dataset, timeline):
    flights = dataset.departures(timeline, after=NOW, until=NOW + DAY)
    in_hour = {flight.cancelled: (flight.at_us - clock.to_us(NOW)) % 10_000_000 for flight in flights}
    assert in_hour == {False: 30 * 60_000_000 // 360, True: 20 * 60_000_000 // 360}
    assert {flight.delay for flight in flights if flight.cancelled} == {None}


INSTANTS = st.integers(0, 4_000_000_000).map(lambda us: NOW + timedelta(microseconds=us))


@given(st.tuples(INSTANTS, INSTANTS, INSTANTS).map(sorted))
def test_flights_asked_for_in_pieces_are_those_asked_for_at_once(dataset, instants):
    first, second, third = instants
    timeline = story.make_timeline(dataset)
    pieces = [
        *dataset.departures(timeline, after=first, until=second),
        *dataset.departures(timeline, after=second, until=third),
    ]
    assert pieces == dataset.departures(timeline, after=first, until=third)


@given(st.integers(0, 3_000))
def test_asking_again_from_the_last_flight_on_gives_no_flight_twice(dataset, seconds):
    timeline = story.make_timeline(dataset)
    until = NOW + timedelta(seconds=seconds, minutes=1)
    last = dataset.departures(timeline, after=NOW, until=until)[-1]
    again = dataset.departures(timeline, after=clock.from_us(last.at_us), until=until + HOUR)
    assert all(flight.at_us > last.at_us for flight in again)


def test_towers_count_what_left_and_what_did_not(dataset, timeline):
    counted = dataset.operations(timeline, after=NOW, until=NOW + 10 * HOUR)
    assert [found.airport for found in counted] == list(story.AIRPORTS)
    assert {(found.departures, found.cancelled, found.mean_delay) for found in counted} == {(12, 1, 10.0)}


def test_a_draft_is_no_file_of_the_source_before_it_is_published(dataset, timeline, tmp_path):
    target = tmp_path / "flights" / "live.parquet"
    draft = dataset.draft("flights", target, timeline, after=NOW, until=NOW + HOUR)
    assert list(target.parent.glob("*.parquet")) == []
    draft.publish()
    assert list(target.parent.iterdir()) == [target]
    assert pq.read_table(target).num_rows == 3


def test_planes_are_written_whole(dataset, tmp_path):
    dataset.write_planes(tmp_path / "planes.parquet")
    assert pq.read_table(tmp_path / "planes.parquet").to_pylist()[0]["manufacturer"] == "BOEING"


def test_the_commonest_keys_come_first(dataset):
    assert dataset.keys("carrier") == ["B6", "UA"]
    assert dataset.keys("origin") == list(story.AIRPORTS)


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr(data, "_PACKAGE", "no_such_package_of_flights")
    with pytest.raises(data.DataSetMissing, match=r"\./dev up installs it"):
        data.find_folder()


@pytest.fixture(scope="module")
def real():
    """The real package: what the contracts and the docs say of it is so."""
    return data.DataSet(data.find_folder())


def test_its_weather_never_rests_longer_than_an_hour_as_it_is_played(real, tmp_path):
    timeline = story.make_timeline(real)
    start, lap = clock.from_us(timeline.start_of(0)), timedelta(microseconds=real.length / 360)
    found = reports(real, timeline, tmp_path, after=start, until=start + 2 * lap)
    instants = sorted({at for at, _, _ in found})
    assert {after - before for before, after in pairwise(instants)} == {HOUR}
    assert len(found) == 2 * 26_115


def test_its_nights_are_shorter_than_the_flights_may_rest(real):
    timeline = story.make_timeline(real)
    start = clock.from_us(timeline.start_of(0))
    end = clock.from_us(timeline.start_of(2))
    instants = [flight.at_us for flight in real.departures(timeline, after=start, until=end)]
    longest = max(after - before for before, after in pairwise(instants))
    assert 60_000_000 < longest < 75_000_000 - 5_000_000


def test_the_replay_begins_with_five_months_of_flights(real):
    timeline = story.make_timeline(real, now=datetime(2026, 11, 23, tzinfo=UTC))
    before = datetime(2026, 11, 23, tzinfo=UTC)
    assert len(real.departures(timeline, after=before - 400 * DAY, until=before)) == 139_863
