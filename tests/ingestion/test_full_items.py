"""A store that cannot hold a row says so of that row alone: DynamoDB, whose items end at 400 KB."""

import os
from uuid import uuid4

import pytest

from controlplane.ingestion.models import RefusedRow
from controlplane.kernel import clock
from store_adapters import RowWrite
from tests.ingestion import test_stream
from tests.ingestion.conftest import build_world
from tests.ingestion.test_redrive import redrive
from tests.ingestion.world import KEY, view_document
from tests.store_adapters.conformance.backdoors import DynamoBackdoor
from tests.store_adapters.stories import packed

pytestmark = pytest.mark.dynamodb


@pytest.fixture
def full(tmp_path, settings, db):
    """A world in DynamoDB, where the entity "full" is to have a row of another view that leaves no room."""
    endpoint = os.environ.get("FRESHLINE_TEST_DYNALITE_URL")
    assert endpoint, "FRESHLINE_TEST_DYNALITE_URL is not set: run ./dev test, which starts the server"
    backdoor = DynamoBackdoor(f"dynamodb://eu-west-1/t{uuid4().hex}?endpoint={endpoint}")
    world = build_world(tmp_path, settings, backdoor.url)
    yield world
    world.store.close()
    backdoor.drop_table()


def fill(world):
    other = RowWrite(world.key("full"), packed(1.0, "x" * 409_430))
    assert world.store.write_rows(world.project, "other", [other], run_number=1) == ["written"]


def test_a_direct_row_without_room_is_refused_and_kept_and_the_others_are_written(full):
    full.apply(entities=[KEY], feature_views=[view_document(direct=True)])
    fill(full)
    answer = full.post([{"k": "full", "x": 1}, {"k": "a", "x": 2}])
    assert answer.results == ("refused", "written")
    assert [(row.index, row.code) for row in answer.refused] == [(0, "item_too_large")]
    assert RefusedRow.objects.get().code == "item_too_large"
    assert (full.values("full"), full.values("a")) == (None, (2, None))


def test_an_event_without_room_is_refused_and_the_stream_goes_on(full):
    test_stream.define(full)
    fill(full)
    full.append("s.jsonl", test_stream.event("full", 1), test_stream.event("a", 2))
    run = full.drain()
    assert (run.counts.read, run.counts.written, run.counts.refused) == (2, 1, 1)
    assert RefusedRow.objects.get().code == "item_too_large"
    assert full.values("a") == (2, "text")


def test_a_refused_row_is_written_again_once_there_is_room_and_stays_refused_until_then(full):
    full.now = clock.now()
    full.apply(entities=[KEY], feature_views=[view_document(direct=True)])
    fill(full)
    full.post([{"k": "full", "x": 1}, {"k": "a", "x": 2}])
    assert redrive(full, {"view": "v"}) == {"refused": 1}
    assert (RefusedRow.objects.get().code, full.values("full")) == ("item_too_large", None)
    make_room(full)
    assert redrive(full, {"view": "v"}) == {"written": 1}
    assert full.values("full") == (1, None)


def make_room(world):
    assert world.store.delete_rows(world.project, "other", [world.key("full")]) == 1
