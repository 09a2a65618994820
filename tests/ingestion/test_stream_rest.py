"""A stream that rests: lineage hears of it while the run goes on, so that a stopped source can be named."""

from datetime import timedelta

import pytest

from controlplane.ingestion.models import RunTransition
from controlplane.kernel.errors import Unavailable
from tests.ingestion.test_stream import define, event
from tests.ingestion.world import NOW


@pytest.fixture
def stream(world):
    define(world, source={"max_idle": "30s"})
    world.append("s.jsonl", event("a", 1))
    return world


def told(stream):
    """Return what was told of looks: how long after the last event, and the watermark as it was told."""
    facts = RunTransition.objects.filter(run__project=stream.project, event="RUNNING").order_by("pk")
    found = [row.facts for row in facts if row.facts["looked_at"] is not None]
    return [(fact["looked_at"], fact["watermark_after"]) for fact in found]


def look_every_second(stream, *, seconds):
    for _ in range(seconds):
        stream.tick(seconds=1)
        stream.drain()


def instant(**after):
    return f"{NOW + timedelta(**after):%Y-%m-%dT%H:%M:%S}.000000Z"


def test_it_is_told_ever_more_seldom_how_long_the_source_rests(stream):
    look_every_second(stream, seconds=120)
    # The watermark stands at thirty seconds: until then the source may rest.
    assert told(stream) == [
        (instant(seconds=30 + rest), instant(seconds=30)) for rest in (10, 15, 23, 35, 53, 80)
    ]


def test_a_source_that_moves_is_not_told_of(stream):
    for number in range(10):
        stream.append("s.jsonl", event("a", number))
        look_every_second(stream, seconds=12)
    assert told(stream) == []


def test_it_is_told_anew_after_the_source_moved_and_stopped_again(stream):
    look_every_second(stream, seconds=45)
    stream.append("s.jsonl", event("a", 2))
    look_every_second(stream, seconds=41)
    assert [at for at, _ in told(stream)] == [instant(seconds=after) for after in (40, 45, 85)]


def test_a_run_that_begins_while_the_source_rests_tells_the_watermark_of_before(stream):
    look_every_second(stream, seconds=60)
    stream.tick(minutes=10)
    assert stream.drain().state == "succeeded"
    before = len(told(stream))
    look_every_second(stream, seconds=2)
    assert told(stream)[before:] == [(instant(minutes=11, seconds=1), instant(seconds=30))]


def test_what_could_not_be_read_is_no_look(stream, monkeypatch):
    stream.drain()

    def refuse(*args, **kwargs):
        raise Unavailable("unavailable", "the disk is away")

    monkeypatch.setattr("controlplane.ingestion.sources.jsonl.JsonLines.read", refuse)
    look_every_second(stream, seconds=100)
    assert told(stream) == []


def test_a_lane_that_is_behind_blames_no_source(stream):
    stream.drain()
    stream.append("s.jsonl", '{"half a line": ')
    look_every_second(stream, seconds=100)
    assert told(stream) == []
