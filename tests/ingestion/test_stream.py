"""The stream lane over a JSON-lines file: order, refusals, deletes, gaps, watermark, crashes."""

import random
from datetime import timedelta

import pytest

from controlplane.ingestion.models import IngestionRun, RefusedRow, TouchedKey
from controlplane.ingestion.services.stream import draining
from controlplane.ingestion.services.stream.waking import skip_gap
from controlplane.kernel.clock import to_us
from controlplane.kernel.errors import Conflict, Unavailable
from store_adapters import Lane
from tests.ingestion.world import KEY, NOW, view_document

SOURCE = {"name": "s", "kind": "stream", "uri": "data/s.jsonl", "event_time": "meta.at", "max_idle": "30m"}
STREAM = {
    "source": "s",
    "fields": {"k": "key", "x": "body.n"},
    "delete_when": {"field": "op", "equals": "d"},
}


def define(world, *, stream=(), source=(), **view):
    document = view_document(stream={**STREAM, **dict(stream)}, **view)
    world.apply(entities=[KEY], sources=[{**SOURCE, **dict(source)}], feature_views=[document])


@pytest.fixture
def stream(any_world):
    define(any_world)
    return any_world


def event(key, number, *, ago=0, **more):
    at = (NOW - timedelta(seconds=ago)).isoformat()
    return {"key": key, "body": {"n": number, "ignored": True}, "y": "text", "meta": {"at": at}, **more}


def test_events_are_mapped_by_dotted_paths_and_unmapped_names_are_their_own(stream):
    stream.append("s.jsonl", event("a", 1, ago=60), event("b", 2, ago=30))
    run = stream.drain()
    assert (run.state, run.counts.read, run.counts.written) == ("running", 2, 2)
    row = stream.row("a")
    assert row.values == (1, "text")
    assert (row.lane, row.position, row.run_number) == (Lane.STREAM, 0, run.run_number)
    assert row.event_time_us == to_us(NOW - timedelta(seconds=60))
    assert stream.row("b").position > 0


def test_a_second_drain_reads_only_what_is_new(stream):
    stream.append("s.jsonl", event("a", 1))
    stream.drain()
    stream.append("s.jsonl", event("a", 2))
    run = stream.drain()
    assert (run.counts.read, stream.values("a")) == (2, (2, "text"))


def test_half_a_line_waits_for_its_other_half(stream):
    stream.append("s.jsonl", event("a", 1), '{"key": "b", "body": {"n": 5}, ')
    assert stream.drain().counts.read == 1
    assert stream.watermark("stream") is None  # something has arrived that is not consumed
    stream.append("s.jsonl", f'"meta": {{"at": {to_us(NOW)}}}}}\n')
    assert stream.drain().counts.read == 2
    assert stream.values("b") == (5, None)


def test_a_late_event_does_not_undo_a_later_one(stream):
    stream.append("s.jsonl", event("a", 2, ago=10), event("a", 1, ago=20))
    run = stream.drain()
    assert (run.counts.written, run.counts.older, stream.values("a")) == (1, 1, (2, "text"))


def test_deletes_are_tombstones_with_the_events_time(stream):
    stream.append("s.jsonl", event("a", 1, ago=30), {"key": "a", "op": "d", "meta": {"at": to_us(NOW)}})
    run = stream.drain()
    assert (run.counts.removed, stream.values("a")) == (1, "gone")
    stream.append("s.jsonl", event("a", 3, ago=10))
    assert stream.drain().counts.older == 1
    assert stream.values("a") == "gone"


def test_malformed_and_contract_breaking_events_are_refused_with_position_and_reason(stream):
    lines = [
        "no json\n",
        "[1, 2]\n",
        '{"key": "a", "body": {"n": NaN}, "meta": {"at": 1}}\n',
        event("a", -1),
        event("a", "one"),
        event(None, 1),
        {"key": "a", "body": {"n": 1}},
        event("good", 1),
        "\n",
    ]
    stream.append("s.jsonl", *lines)
    run = stream.drain()
    assert (run.counts.read, run.counts.refused, run.counts.written) == (8, 7, 1)
    found = RefusedRow.objects.filter(project=stream.project).order_by("pk")
    assert [(row.field, row.code) for row in found] == [
        ("", "bad_json"),
        ("", "bad_json"),
        ("", "bad_json"),
        ("x", "out_of_domain"),
        ("x", "bad_value"),
        ("k", "absent_key"),
        ("event_time", "bad_value"),
    ]
    assert found[0].payload == "no json"
    assert stream.drain().counts.read == 8  # an empty line is nothing at all


def test_a_line_that_is_too_long_is_refused_and_passed_over(stream):
    stream.append("s.jsonl", '{"key": "' + "a" * 3_000_000 + '"}\n', event("b", 1))
    run = stream.drain()
    assert (run.counts.refused, run.counts.written) == (1, 1)
    refused = RefusedRow.objects.get(project=stream.project)
    assert (refused.code, refused.is_cut) == ("too_large", False)
    assert len(refused.payload) <= 1_000


def test_a_refused_update_holds_the_streams_own_row_and_a_good_one_ends_it(stream):
    stream.append("s.jsonl", event("a", 1, ago=30))
    stream.drain()
    stream.append("s.jsonl", event("a", -1, ago=20))
    stream.drain()
    assert (stream.row("a").held, stream.values("a")) == (True, (1, "text"))
    stream.append("s.jsonl", event("a", 2, ago=10))
    stream.drain()
    assert (stream.row("a").held, stream.values("a")) == (False, (2, "text"))


def test_keys_are_touched_before_they_are_written_where_a_batch_lane_exists(world):
    sources = [SOURCE, {"name": "f", "kind": "parquet", "uri": "data/f.parquet"}]
    document = view_document(stream=STREAM, batch={"source": "f", "query": "SELECT * FROM f"})
    world.apply(entities=[KEY], sources=sources, feature_views=[document])
    world.append("s.jsonl", event("a", 1))
    world.drain()
    assert TouchedKey.objects.count() == 1


class TestWatermark:
    def test_a_source_at_its_end_is_proven_up_to_now_while_it_moves(self, stream):
        stream.append("s.jsonl", event("a", 1))
        stream.drain()
        assert stream.watermark("stream") == NOW
        stream.tick(minutes=29)
        stream.drain()
        assert stream.watermark("stream") == stream.now

    def test_a_silent_source_stops_it_at_its_last_arrival_and_max_idle(self, stream):
        stream.append("s.jsonl", event("a", 1))
        stream.drain()
        for _ in range(4):
            stream.tick(minutes=15)
            stream.drain()
        assert stream.watermark("stream") == NOW + timedelta(minutes=30)

    def test_without_max_idle_the_strictest_readers_warning_counts(self, any_world):
        define(any_world, source={"max_idle": None}, freshness={"warn_after": "5m", "max_age": "1h"})
        any_world.append("s.jsonl", event("a", 1))
        any_world.drain()
        any_world.tick(minutes=20)
        any_world.drain()
        assert any_world.watermark("stream") == NOW + timedelta(minutes=5)

    def test_a_drain_that_did_not_reach_the_end_proves_nothing(self, stream, monkeypatch):
        monkeypatch.setattr(draining, "DRAIN_SECONDS", -1.0)
        monkeypatch.setattr(draining, "BATCH_EVENTS", 2)
        stream.append("s.jsonl", *(event("a", n) for n in range(5)))
        assert stream.drain().counts.read == 2
        assert stream.watermark("stream") is None
        stream.drain()
        assert stream.drain().counts.read == 5
        assert stream.watermark("stream") == NOW

    def test_it_moves_only_after_the_store_has_the_rows(self, stream, monkeypatch):
        stream.append("s.jsonl", event("a", 1))

        def fail(*args, **kwargs):
            raise Unavailable("store_unavailable", "gone")

        with monkeypatch.context() as patched:
            patched.setattr(type(stream.store), "write_rows", fail)
            run = stream.drain()
        assert (run.state, run.error["code"], run.counts.read) == ("queued", "store_unavailable", 0)
        assert stream.watermark("stream") is None
        stream.tick(minutes=1)
        assert stream.drain().counts.written == 1


class TestGaps:
    @pytest.mark.parametrize("harm", ["cut", "replaced"])
    def test_a_file_that_was_cut_or_replaced_is_a_gap_where_the_lane_stands(self, stream, harm):
        stream.append("s.jsonl", event("a", 1), event("b", 2))
        stream.drain()
        path = stream.data / "s.jsonl"
        if harm == "cut":
            path.write_bytes(path.read_bytes()[:20])
        else:
            path.write_text("")
            stream.append("s.jsonl", *(event("c", n, ago=n) for n in range(5)))
        stream.tick(minutes=1)
        run = stream.drain()
        assert (run.state, run.error["code"]) == ("failed", "stream_gap")
        stream.tick(minutes=1)
        assert stream.drain().id == run.id  # no run after run against the same wall
        assert stream.watermark("stream") == NOW

    def test_skip_gap_goes_on_with_what_is_left(self, stream):
        self.test_a_file_that_was_cut_or_replaced_is_a_gap_where_the_lane_stands(stream, "replaced")
        skip_gap(stream.project, "v", requested_by="ada", now=stream.now)
        run = stream.drain()
        assert (run.state, run.counts.written, stream.values("c")) == ("running", 1, (0, "text"))
        stream.append("s.jsonl", event("d", 1))
        assert stream.drain().counts.read == 6
        with pytest.raises(Conflict):
            skip_gap(stream.project, "v", requested_by="ada", now=stream.now)


class TestRuns:
    def test_a_run_is_a_lease_that_is_rolled_after_ten_minutes(self, stream):
        stream.append("s.jsonl", event("a", 1))
        first = stream.drain()
        stream.tick(minutes=5)
        assert stream.drain().id == first.id
        stream.tick(minutes=5)
        assert stream.drain().state == "succeeded"
        stream.tick(seconds=1)
        second = stream.drain()
        assert (second.id > first.id, second.state, second.counts.read) == (True, "running", 0)

    def test_a_lane_that_somebody_holds_is_left_alone(self, stream):
        stream.append("s.jsonl", event("a", 1))
        run = stream.drain()
        IngestionRun.objects.filter(pk=run.id).update(lease_until=stream.now + timedelta(seconds=30))
        stream.append("s.jsonl", event("a", 2))
        assert stream.drain().counts.read == 1
        stream.tick(seconds=31)
        assert stream.drain().counts.read == 2

    def test_a_paused_lane_reads_nothing(self, stream):
        from controlplane.registry.models import FeatureView

        FeatureView.objects.update(paused=True)
        stream.append("s.jsonl", event("a", 1))
        assert stream.drain() is None

    def test_a_missing_file_is_waited_for(self, stream):
        run = stream.drain()
        assert (run.state, run.error["code"]) == ("queued", "unavailable")
        stream.append("s.jsonl", event("a", 1))
        stream.tick(minutes=1)
        run = stream.drain()
        assert (run.state, run.error, run.counts.written) == ("running", None, 1)

    def test_another_topic_is_read_from_its_beginning(self, stream):
        stream.append("s.jsonl", event("a", 1))
        stream.drain()
        define(stream, source={"uri": "data/other.jsonl"})
        stream.append("other.jsonl", event("b", 1))
        stream.drain()
        assert stream.values("b") == (1, "text")


def test_a_crash_between_store_and_cursor_changes_nothing(stream, monkeypatch):
    """Rows are written, the cursor is not moved: the replay finds them as they are."""
    stream.append("s.jsonl", *(event(f"k{n}", n) for n in range(20)))
    real = draining.consume

    def die(drain, *args, **kwargs):
        with monkeypatch.context() as patched:
            patched.setattr("controlplane.ingestion.services.stream.drain.record_refusals", _crash)
            real(drain, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(draining, "consume", die)
        with pytest.raises(KeyboardInterrupt):
            stream.drain()
    before = [stream.row(f"k{n}") for n in range(20)]
    assert None not in before
    stream.tick(minutes=1)
    run = stream.drain()
    assert (run.counts.read, run.counts.written, run.counts.unchanged) == (20, 0, 20)
    assert [stream.row(f"k{n}") for n in range(20)] == before


def _crash(*args, **kwargs):
    raise KeyboardInterrupt  # as good as a kill: nothing catches it


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_hostile_stream_ends_as_an_oracle_says(world, seed):
    """Shuffled, doubled, late and malformed events with deletes among them, read in small drains."""
    chance = random.Random(seed)
    define(world)
    lines, oracle, malformed = [], {}, 0
    for number in range(600):
        if chance.random() < 0.02:
            lines.append("{broken\n")
            malformed += 1
            continue
        key, ago = f"k{chance.randrange(40)}", 3_000 - number - chance.choice([0, 0, 0, 500])
        is_delete = chance.random() < 0.1
        made = event(key, number, ago=ago, **({"op": "d"} if is_delete else {}))
        lines += [made] * (2 if chance.random() < 0.05 else 1)
    chance.shuffle(lines)
    for place, line in enumerate(lines):
        if isinstance(line, dict):
            at = line["meta"]["at"]
            best = oracle.get(line["key"])
            if best is None or (at, place) > best[0]:
                oracle[line["key"]] = ((at, place), "gone" if line.get("op") else line["body"]["n"])
    world.append("s.jsonl", *lines)
    run = world.drain()
    assert run.counts.refused == malformed
    for key, (_, expected) in oracle.items():
        found = world.values(key)
        assert (found if found == "gone" else found[0]) == expected
    state = world.lane("stream")
    state.cursors = {}
    state.save()
    replay = world.drain()
    assert replay.counts.written - run.counts.written == 0
    assert RefusedRow.objects.filter(project=world.project).count() == malformed
