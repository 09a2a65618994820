"""A JSON-lines file that is rotated: the older one is read to its end, then the newer one."""

import json

import pytest

from controlplane.ingestion.models import RefusedRow
from controlplane.ingestion.services.stream import draining
from controlplane.ingestion.services.stream.waking import skip_gap
from controlplane.kernel.clock import to_us
from tests.ingestion.test_stream import define, event
from tests.ingestion.world import NOW


@pytest.fixture
def stream(world):
    define(world)
    return world


def rotate(stream, *events):
    (stream.data / "s.jsonl").replace(stream.data / "s.jsonl.1")
    stream.append("s.jsonl", *events)


def drain_all(stream):
    """Drain often enough to reach the end, however little one drain reads."""
    for _ in range(5):
        run = stream.drain()
    assert (run.state, run.error) == ("running", None)
    return run


def numbers(stream, keys):
    return [stream.values(key)[0] for key in keys]


@pytest.mark.parametrize("at_once", [1, 2, 500])
def test_what_was_left_in_the_older_file_is_read_before_the_newer_one(stream, monkeypatch, at_once):
    monkeypatch.setattr(draining, "BATCH_EVENTS", at_once)
    stream.append("s.jsonl", event("a", 1, ago=90))
    stream.drain()
    stream.append("s.jsonl", event("b", 2, ago=80), event("c", 3, ago=70))
    rotate(stream, event("c", 4, ago=60), event("d", 5, ago=50))
    run = drain_all(stream)
    assert (run.counts.read, run.counts.written, run.counts.older) == (5, 5, 0)
    assert numbers(stream, "abcd") == [1, 2, 4, 5]
    assert stream.watermark("stream") == NOW


def test_of_events_at_one_instant_the_one_in_the_newer_file_wins(stream):
    stream.append("s.jsonl", event("b", 0), event("a", 1))
    stream.drain()
    for number in (2, 3):
        rotate(stream, event("a", number))
        stream.drain()
    assert numbers(stream, "a") == [3]


def test_a_file_that_was_rotated_before_its_first_line_was_read_is_read_from_its_beginning(stream):
    stream.append("s.jsonl")
    stream.drain()  # an empty file leaves a cursor, too
    stream.append("s.jsonl", event("a", 1))
    rotate(stream, event("b", 2))
    drain_all(stream)
    assert numbers(stream, "ab") == [1, 2]


def test_without_a_cursor_it_begins_with_the_older_file(stream):
    stream.append("s.jsonl", event("a", 1))
    rotate(stream, event("b", 2))
    assert drain_all(stream).counts.read == 2


def test_nothing_is_read_twice_while_one_rotation_follows_another(stream):
    for number in range(6):
        stream.append("s.jsonl", event("a", number, ago=60 - number))
        rotate(stream, event("b", number, ago=60 - number))
        stream.drain()
    assert drain_all(stream).counts.read == 12


def test_an_empty_newer_file_is_waited_for_and_the_older_one_proves_the_time_meanwhile(stream):
    stream.append("s.jsonl", event("a", 1))
    stream.drain()
    rotate(stream)
    stream.tick(seconds=10)
    assert stream.drain().counts.read == 1
    assert stream.watermark("stream") == stream.now
    stream.append("s.jsonl", event("b", 2))
    assert stream.drain().counts.read == 2


def test_half_a_line_at_the_end_of_the_older_file_waits_until_the_newer_one_has_a_line(stream):
    stream.append("s.jsonl", event("a", 1), '{"key": "b", ')
    stream.drain()
    rotate(stream)
    assert stream.drain().counts.refused == 0
    stream.append("s.jsonl.1", f'"body": {{"n": 2}}, "meta": {{"at": {to_us(NOW)}}}}}\n', '{"key": "c')
    stream.append("s.jsonl", event("d", 4))
    run = drain_all(stream)
    assert (run.counts.read, run.counts.written, run.counts.refused) == (4, 3, 1)
    assert numbers(stream, "bd") == [2, 4]
    assert RefusedRow.objects.get(project=stream.project).payload == '{"key": "c'


def test_a_whole_event_without_a_line_end_is_taken_when_the_file_was_rotated(stream):
    stream.append("s.jsonl", event("a", 1), json.dumps(event("b", 2)))
    stream.drain()
    rotate(stream, event("c", 3))
    drain_all(stream)
    assert numbers(stream, "abc") == [1, 2, 3]


def test_files_that_begin_alike_are_told_apart(stream):
    stream.append("s.jsonl", event("a", 1, ago=9))
    stream.drain()
    stream.append("s.jsonl", event("b", 2, ago=8))
    rotate(stream, event("a", 1, ago=9), event("c", 3, ago=7))
    assert drain_all(stream).counts.read == 4
    assert numbers(stream, "bc") == [2, 3]


def test_a_file_that_is_just_being_rotated_is_read_once(stream):
    stream.append("s.jsonl", event("a", 1))
    (stream.data / "s.jsonl.1").hardlink_to(stream.data / "s.jsonl")
    stream.append("s.jsonl", event("b", 2))
    assert drain_all(stream).counts.read == 2


def test_a_file_that_was_copied_and_cut_was_rotated(stream):
    stream.append("s.jsonl", event("a", 1))
    stream.drain()
    stream.append("s.jsonl", event("b", 2))
    path = stream.data / "s.jsonl"
    (stream.data / "s.jsonl.1").write_bytes(path.read_bytes())
    path.write_text("")
    stream.append("s.jsonl", event("c", 3))
    assert drain_all(stream).counts.read == 3


def test_two_rotations_between_two_drains_are_a_gap_and_what_is_left_is_read_when_it_is_skipped(stream):
    stream.append("s.jsonl", event("a", 1))
    stream.drain()
    rotate(stream, event("b", 2))
    rotate(stream, event("c", 3))
    run = stream.drain()
    assert (run.state, run.error["code"]) == ("failed", "stream_gap")
    skip_gap(stream.project, "v", requested_by="ada", now=stream.now)
    assert drain_all(stream).counts.read == 2
    assert numbers(stream, "bc") == [2, 3]


def test_a_link_in_the_older_files_place_is_not_followed(stream, tmp_path):
    (tmp_path / "elsewhere").write_text(json.dumps(event("secret", 1)) + "\n")
    stream.append("s.jsonl", event("a", 1))
    (stream.data / "s.jsonl.1").symlink_to(tmp_path / "elsewhere")
    assert drain_all(stream).counts.read == 1


def test_refused_lines_of_two_files_at_one_offset_are_both_kept(stream):
    for number in (1, 2):
        stream.append("s.jsonl", event("a", number), "{broken\n")
        stream.drain()
        rotate(stream)
    positions = RefusedRow.objects.filter(project=stream.project).values_list("position", flat=True)
    # Not by the inode alone: that of a file which was deleted comes back.
    assert len({position.rpartition(":")[2] for position in positions}) == 2


def test_a_cursor_of_before_files_were_rotated_goes_on_where_it_stood(stream):
    stream.append("s.jsonl", event("a", 1))
    stream.drain()
    state = stream.lane("stream")
    state.cursors = {"0": {name: state.cursors["0"][name] for name in ("offset", "head", "digest", "of")}}
    state.save()
    stream.append("s.jsonl", event("b", 2))
    assert drain_all(stream).counts.read == 2
