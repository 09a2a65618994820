"""A batch row that the store has no room for is refused: the run goes on, and vouches for no value of it."""

import pytest

from controlplane.ingestion.models import RefusedRow
from controlplane.ingestion.services.batch import checking, unwritten, writing
from controlplane.kernel.clock import to_us
from controlplane.kernel.errors import Unavailable
from store_adapters import RowWrite
from tests.ingestion.test_batch import define, minutes_ago
from tests.ingestion.test_full_items import fill, full, make_room
from tests.ingestion.world import FEATURES, NOW
from tests.store_adapters.stories import packed

__all__ = ["full"]
pytestmark = pytest.mark.dynamodb
LONG = "eight888"
WIDE = "k" * 2_100  # longer than any key of an item


def counted(run):
    counts = run.counts
    assert (run.state, run.error) == ("succeeded", None)
    return {name: amount for name, amount in counts.as_dict().items() if amount}


def source(world, *rows, ago=10):
    """Let the source hold rows (key, x, y) and nothing else."""
    world.write_parquet("s.parquet", [(*row, minutes_ago(ago)) for row in rows])


def fill_up(world):
    """Let another view's row grow until the item of "full" has not a byte left."""
    fits, too_much = 408_000, 409_600
    for at in range(1, 20):
        if too_much - fits <= 1:
            return
        size = (fits + too_much) // 2
        other = RowWrite(world.key("full"), packed(1.0, "x" * size, at=at))
        (result,) = world.store.write_rows(world.project, "other", [other], run_number=at)
        fits, too_much = (size, too_much) if result == "written" else (fits, size)
    raise AssertionError("no end of it")


@pytest.fixture
def grown(full):
    """The batch has written "a" and "full"; since then the item of "full" is full to the last byte."""
    define(full, features=FEATURES)
    source(full, ("a", 1, "a"), ("full", 1, "a"), ago=20)
    assert counted(full.run_batch()) == {"read": 2, "added": 2, "written": 2}
    fill_up(full)
    full.tick(minutes=1)
    return full


def held(world, key="full"):
    row = world.row(key)
    return (row.held, row.values, row.event_time_us)


def test_the_others_are_written_and_the_watermark_moves_and_the_next_run_tries_again(full):
    define(full)
    fill(full)
    source(full, ("a", 1, "one"), ("full", 2, "two"))
    assert counted(full.run_batch()) == {"read": 2, "added": 1, "written": 1, "refused": 1}
    assert (full.watermark("batch"), full.values("a"), full.values("full")) == (NOW, (1, "one"), None)
    refused = RefusedRow.objects.get()
    assert (refused.code, refused.position, refused.field) == ("item_too_large", '["full"]', "")
    assert '"x": 2, "y": "two"' in refused.payload
    full.tick(minutes=1)
    assert counted(full.run_batch()) == {"read": 2, "unchanged": 1, "refused": 1}
    assert RefusedRow.objects.count() == 1
    make_room(full)
    full.tick(minutes=1)
    assert counted(full.run_batch()) == {"read": 2, "added": 1, "unchanged": 1, "written": 1}
    assert full.values("full") == (2, "two")


def test_the_old_value_is_held_until_there_is_room_for_the_new_one(grown):
    source(grown, ("a", 2, "b"), ("full", 2, LONG))
    run = grown.run_batch()
    assert counted(run) == {"read": 2, "changed": 1, "written": 2, "refused": 1}
    assert (run.ledger["writes"], run.ledger["refused"]) == (2, 1)
    before = to_us(NOW) - 20 * 60_000_000
    assert held(grown) == (True, (1, "a"), before)
    assert grown.watermark("batch") == grown.now
    grown.tick(minutes=1)
    assert counted(grown.run_batch()) == {"read": 2, "unchanged": 1, "refused": 1}
    assert held(grown) == (True, (1, "a"), before)
    make_room(grown)
    grown.tick(minutes=1)
    assert counted(grown.run_batch()) == {"read": 2, "changed": 1, "unchanged": 1, "written": 1}
    assert held(grown) == (False, (2, LONG), to_us(NOW) - 10 * 60_000_000)


def test_a_source_that_takes_the_value_back_frees_the_held_one(grown):
    source(grown, ("a", 1, "a"), ("full", 2, LONG))
    grown.run_batch()
    grown.tick(minutes=1)
    source(grown, ("a", 1, "a"), ("full", 1, "a"), ago=20)
    assert counted(grown.run_batch()) == {"read": 2, "changed": 1, "unchanged": 1, "written": 1}
    assert held(grown)[:2] == (False, (1, "a"))


def test_what_was_refused_once_stays_refused_in_its_run_whoever_goes_on(grown, monkeypatch):
    source(grown, ("a", 2, "b"), ("full", 2, LONG), ago=20)
    with monkeypatch.context() as broken:
        broken.setattr(writing, "keep_unwritten", fail)
        assert grown.run_batch().state == "queued"
    assert RefusedRow.objects.count() == 0
    make_room(grown)
    grown.tick(minutes=10)
    run = grown.execute(grown.latest("batch").id)
    assert counted(run) == {"read": 2, "changed": 1, "written": 2, "refused": 1}
    assert (held(grown)[:2], RefusedRow.objects.count()) == ((True, (1, "a")), 1)
    grown.tick(minutes=1)
    assert counted(grown.run_batch()) == {"read": 2, "changed": 1, "unchanged": 1, "written": 1}
    assert held(grown)[:2] == (False, (2, LONG))


def fail(*_, **__):
    raise Unavailable("store_unavailable", "gone for a moment")


def test_a_held_row_that_is_not_in_the_store_fails_the_run(grown, monkeypatch):
    source(grown, ("a", 1, "a"), ("full", 2, LONG))
    put = writing._put

    def lose_held(work, writes):
        return (
            []
            if [write.key for write in writes] == [grown.key("full")] and is_held(writes[0])
            else put(work, writes)
        )

    monkeypatch.setattr(writing, "_put", lose_held)
    run = grown.run_batch()
    assert (run.state, run.error["code"]) == ("failed", "verification_failed")


def is_held(write):
    return bool(write.row[17] & 2)


def test_no_room_for_an_expiry_is_no_reason_not_to_hold(grown):
    define(grown, features=FEATURES, expire_after="30d")
    source(grown, ("a", 1, "a"), ("full", 2, LONG))
    assert counted(grown.run_batch())["refused"] == 1
    assert held(grown)[:2] == (True, (1, "a"))


def test_no_room_for_an_expiry_is_no_reason_not_to_delete(grown):
    source(grown, ("a", 1, "a"))
    assert counted(grown.run_batch()) == {"read": 1, "removed": 1, "unchanged": 1, "written": 1}
    assert grown.values("full") == "gone"


def test_a_delete_without_room_is_refused_and_done_once_there_is_room(grown):
    wider = [{"name": f"z{number}", "dtype": "int64", "nullable": True} for number in range(9)]
    define(grown, features=[*FEATURES, *wider], batch={"query": f"SELECT *, {nulls(wider)} FROM s"})
    source(grown, ("a", 1, "a"))
    assert counted(grown.run_batch()) == {"read": 1, "changed": 1, "written": 2, "refused": 1}
    assert held(grown)[:2] == (True, (1, "a"))
    assert RefusedRow.objects.get().position == '["full"]'
    make_room(grown)
    grown.tick(minutes=1)
    assert counted(grown.run_batch()) == {"read": 1, "removed": 1, "unchanged": 1, "written": 1}
    assert grown.values("full") == "gone"


def nulls(features):
    return ", ".join(f"NULL::BIGINT AS {feature['name']}" for feature in features)


def test_people_see_a_thousand_of_a_run_and_the_rest_is_counted(full, monkeypatch):
    monkeypatch.setattr(unwritten, "MAX_KEPT_REFUSALS", 1)
    monkeypatch.setattr(checking, "SHARD_ROWS", 1)
    define(full)
    source(full, (f"{WIDE}1", 1, "a"), (f"{WIDE}2", 1, "a"), ("b", 1, "a"))
    assert counted(full.run_batch()) == {"read": 3, "added": 1, "written": 1, "refused": 2}
    assert RefusedRow.objects.count() == 1


def test_long_keys_that_begin_alike_are_refused_one_by_one_and_each_once(full):
    define(full)
    source(full, (f"{WIDE}1", 1, "a"), (f"{WIDE}2", 1, "a"))
    for _ in range(2):
        assert counted(full.run_batch()) == {"read": 2, "refused": 2}
    assert RefusedRow.objects.count() == 2
