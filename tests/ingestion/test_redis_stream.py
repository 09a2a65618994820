"""Redis Streams as a source: positions, payload forms, trimming, gaps."""

import json
import uuid
from datetime import timedelta

import pytest
from redis import Redis

from controlplane.ingestion.sources.redis_stream import RedisStream
from controlplane.ingestion.sources.stream import Gap
from controlplane.kernel.errors import Unavailable
from tests.ingestion.world import KEY, NOW, redis_url, view_document

pytestmark = pytest.mark.redis
MS = int(NOW.timestamp() * 1000)


@pytest.fixture
def client():
    client = Redis.from_url(redis_url())
    yield client
    client.close()


@pytest.fixture
def key(client):
    name = f"stream-{uuid.uuid4().hex}"
    yield name
    client.delete(name)


@pytest.fixture
def source(key):
    return RedisStream(redis_url(), key, group="freshline-1")


def read(source, cursor=None, *, limit=100, skip_gap=False):
    return source.read("0", cursor, limit=limit, skip_gap=skip_gap)


def add(client, key, number, *, ms=None):
    return client.xadd(key, {"payload": json.dumps({"n": number})}, id=f"{ms}-0" if ms else "*")


def numbers(chunk):
    return [json.loads(event.payload)["n"] for event in chunk.events]


def test_events_come_in_order_from_the_oldest_and_then_after_the_cursor(client, key, source):
    for number in range(5):
        add(client, key, number)
    first = read(source, limit=3)
    assert (numbers(first), first.is_at_end, first.lag) == ([0, 1, 2], False, 2)
    second = read(source, first.cursor)
    assert (numbers(second), second.is_at_end, second.lag) == ([3, 4], True, 0)
    assert read(source, second.cursor).events == ()


def test_the_position_is_the_id_and_the_arrival_its_milliseconds(client, key, source):
    client.xadd(key, {"payload": "{}"}, id="1700000000123-7")
    (event,) = read(source).events
    assert event.position == (1700000000123 << 20) + 7
    assert event.arrival_us == 1700000000123000
    assert event.place == "0:1700000000123-7"


def test_a_stream_that_is_not_there_yet_is_empty(source):
    chunk = read(source)
    assert (chunk.events, chunk.is_at_end, chunk.newest_arrival_us) == ((), True, None)


def test_trimming_what_was_consumed_is_no_gap(client, key, source):
    for number in range(10):
        add(client, key, number)
    cursor = read(source).cursor
    client.xtrim(key, maxlen=0, approximate=False)
    assert read(source, cursor).is_at_end
    add(client, key, 10)
    chunk = read(source, cursor)
    assert numbers(chunk) == [10]
    client.xtrim(key, maxlen=0, approximate=False)
    add(client, key, 11)
    assert numbers(read(source, chunk.cursor)) == [11]


def test_trimming_what_was_not_consumed_is_a_gap_until_it_is_skipped(client, key, source):
    for number in range(10):
        add(client, key, number)
    cursor = read(source, limit=3).cursor
    client.xtrim(key, maxlen=2, approximate=False)
    with pytest.raises(Gap) as gap:
        read(source, cursor)
    assert "about 5 events" in str(gap.value)
    chunk = read(source, cursor, skip_gap=True)
    assert numbers(chunk) == [8, 9]
    assert read(source, chunk.cursor).events == ()


def test_a_stream_that_was_made_anew_is_a_gap_and_then_read_from_its_beginning(client, key, source):
    for number in range(3):
        add(client, key, number)
    cursor = read(source).cursor
    client.delete(key)
    with pytest.raises(Gap):
        read(source, cursor)
    add(client, key, 7, ms=5)
    with pytest.raises(Gap):
        read(source, cursor)
    chunk = read(source, cursor, skip_gap=True)
    assert (numbers(chunk), chunk.is_at_end) == ([7], True)


def test_an_event_deleted_in_the_middle_is_no_gap(client, key, source):
    ids = [add(client, key, number) for number in range(6)]
    cursor = read(source, limit=2).cursor
    client.xdel(key, ids[3])
    assert numbers(read(source, cursor)) == [2, 4, 5]


@pytest.mark.parametrize(
    ("fields", "payload", "is_flat"),
    [
        ({"payload": '{"a": 1}'}, {"a": 1}, False),
        ({"data": '{"a": 1}', "trace": "x"}, {"a": 1}, False),
        ({"a": "1", "b": "x"}, {"a": "1", "b": "x"}, True),
        ({"value": "7", "k": "x"}, {"value": "7", "k": "x"}, True),
    ],
)
def test_an_entry_carries_json_in_one_field_or_is_its_fields(client, key, source, fields, payload, is_flat):
    client.xadd(key, fields)
    (event,) = read(source).events
    assert (json.loads(event.payload), event.is_flat, event.fault) == (payload, is_flat, None)


def test_bytes_that_are_no_text_are_a_fault_of_that_event_alone(client, key, source):
    client.xadd(key, {"payload": b"\xff\xfe"})
    add(client, key, 1)
    bad, good = read(source).events
    assert "UTF-8" in bad.fault
    assert good.fault is None


def test_the_group_shows_how_far_we_are_and_is_made_when_it_is_missing(client, key, source):
    for number in range(3):
        add(client, key, number)
    cursor = read(source, limit=2).cursor
    source.acknowledge("0", cursor)
    (group,) = client.xinfo_groups(key)
    assert group["name"] == b"freshline-1"
    assert group["last-delivered-id"].decode() == cursor["id"]
    source.acknowledge("0", read(source).cursor)
    assert client.xinfo_groups(key)[0]["last-delivered-id"].decode() != cursor["id"]


def test_a_server_that_does_not_answer_is_told_as_such():
    with pytest.raises(Unavailable):
        read(RedisStream("redis://127.0.0.1:1/0", "s", group="g"))


def test_a_lane_reads_a_connections_topic_by_its_own_clock(world, client, key, monkeypatch):
    monkeypatch.setattr("controlplane.registry.selectors.connection_url", lambda name: redis_url())
    seconds, micros = client.time()
    broker = NOW.fromtimestamp(seconds, NOW.tzinfo) + timedelta(microseconds=micros)
    world.now = broker
    source = {"name": "s", "kind": "stream", "connection": "events", "topic": key, "max_idle": "10m"}
    world.apply(entities=[KEY], sources=[source], feature_views=[view_document(stream={"source": "s"})])
    client.xadd(key, {"k": "007", "x": "5", "y": "12"})
    client.xadd(key, {"payload": json.dumps({"k": "b", "x": 6})})
    client.xadd(key, {"k": "c", "x": "five"})
    run = world.drain()
    assert (run.counts.read, run.counts.written, run.counts.refused) == (3, 2, 1)
    assert (world.values("007"), world.values("b")) == ((5, "12"), (6, None))
    assert abs(world.watermark("stream") - broker) < timedelta(seconds=30)
