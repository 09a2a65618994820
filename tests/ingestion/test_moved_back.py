"""A project that moves to another store and back: nothing there is vouched for by what it left behind."""

import pytest

from controlplane.ingestion import tasks
from controlplane.ingestion.models import LaneState
from controlplane.ingestion.services import lanes, runs, store, upkeep
from controlplane.ingestion.services.store import online_store
from controlplane.kernel import clock
from controlplane.kernel.errors import Unavailable
from controlplane.registry import selectors as registry
from controlplane.registry.models import FeatureView
from controlplane.registry.services.views import put_off_purge
from store_adapters import Lane
from tests.ingestion import test_batch, test_stream
from tests.ingestion.test_batch import rows_of
from tests.ingestion.world import KEY, view_document


@pytest.fixture
def near(world, settings, tmp_path):
    """A world at home in the default store; ``world.far`` is the store to move to and from."""
    settings.FRESHLINE_STORES = {"far": f"sqlite://{tmp_path}/far.sqlite3"}
    world.far = online_store("far")
    return world


def move(world, name, define=test_batch.define):
    world.lives_in = name
    define(world)
    return world.tick(minutes=1)


def follow(world):
    with clock.fixed(lambda: world.now):
        tasks.keep_in_step()


def test_a_key_that_went_while_its_view_was_elsewhere_is_gone_when_the_view_is_back(near):
    test_batch.define(near)
    near.write_parquet("s.parquet", rows_of([1, 2]))
    near.run_batch()
    before = near.watermark("batch")
    move(near, "far")
    follow(near)
    near.write_parquet("s.parquet", rows_of([1]))
    assert near.run_batch().state == "succeeded"
    move(near, "default")
    follow(near)
    assert near.run_batch().state == "succeeded"
    assert near.watermark("batch") > before
    assert (near.values("k1"), near.values("k2")) == ((1, None), None)


def test_there_and_back_before_anybody_looked_is_a_move_all_the_same(near):
    test_batch.define(near)
    near.write_parquet("s.parquet", rows_of([1, 2]))
    near.run_batch()
    before = near.lane("batch").generation
    move(near, "far")
    move(near, "default")
    follow(near)
    assert near.lane("batch").generation > before
    assert (near.values("k1"), near.values("k2")) == (None, None)
    assert near.run_batch().counts.written == 2


def test_a_row_of_a_stream_that_was_deleted_elsewhere_is_gone_when_the_view_is_back(near):
    test_stream.define(near)
    near.append("s.jsonl", test_stream.event("a", 1))
    near.drain()
    assert near.values("a") == (1, "text")
    move(near, "far", test_stream.define)
    follow(near)
    near.append("s.jsonl", test_stream.event("a", 2))
    near.drain()
    move(near, "default", test_stream.define)
    follow(near)
    near.append("s.jsonl", test_stream.event("b", 3))
    near.drain()
    assert near.values("b") == (3, "text")
    assert near.values("a") is None


def test_every_lane_waits_until_the_rows_from_earlier_are_gone(near):
    document = view_document(direct=True)
    near.apply(entities=[KEY], feature_views=[document])
    near.post([{"k": "a", "x": 1}])
    LaneState.objects.update(watermark_us=5, is_published=False)
    move(near, "far", lambda world: world.apply(entities=[KEY], feature_views=[document]))
    with pytest.raises(Unavailable) as told:
        near.post([{"k": "a", "x": 1}])
    assert told.value.code == "purge_pending"
    assert lanes.publish_watermarks(stores=near.store_of) == 0
    assert near.far.read_watermarks(near.project) == {}
    follow(near)
    near.post([{"k": "a", "x": 1}])
    assert near.far.read_rows(near.project, "v", [near.key("a")]) != [None]


def test_a_run_that_was_asked_for_meanwhile_waits_and_one_that_had_a_plan_ends(near):
    test_batch.define(near)
    near.write_parquet("s.parquet", rows_of([1]))
    planned = runs.queue_run(near.view(), Lane.BATCH, now=near.now)
    planned.plan = "some"
    planned.save()
    move(near, "far")
    follow(near)
    planned.refresh_from_db()
    assert planned.state == "aborted"
    move(near, "default")
    asked = runs.queue_run(near.view(), Lane.BATCH, now=near.now)
    assert near.execute(asked.pk).state == "queued"
    follow(near)
    near.tick(minutes=10)
    assert near.execute(asked.pk).state == "succeeded"


@pytest.mark.parametrize("step", ["restart_lanes", "forget_layouts", "mark_purged"])
def test_a_purge_that_was_killed_between_its_steps_is_done_again(near, monkeypatch, step):
    test_batch.define(near)
    near.write_parquet("s.parquet", rows_of([1, 2]))
    near.run_batch()
    move(near, "far")
    move(near, "default")
    with monkeypatch.context() as killed:
        killed.setattr(upkeep, step, kill)
        with pytest.raises(KeyboardInterrupt):
            follow(near)
    with pytest.raises(Unavailable):
        store.refuse_unpurged(near.view())
    near.tick(minutes=6)
    follow(near)
    assert near.values("k2") is None
    assert near.run_batch().counts.written == 2


def kill(*_, **__):
    raise KeyboardInterrupt


def test_one_worker_at_a_time_purges_a_view(near):
    test_batch.define(near)
    move(near, "far")
    (due,) = registry.views_to_purge(now=near.now)
    assert put_off_purge(due, until=near.now) is not None
    assert put_off_purge(due, until=near.now) is None


def test_what_retires_in_one_store_is_removed_there_after_its_project_moved(near):
    test_batch.define(near)
    near.write_parquet("s.parquet", rows_of([1]))
    near.run_batch()
    key = near.key("k1")
    near.apply(entities=[KEY])
    near.lives_in = "far"
    near.apply(entities=[KEY])
    assert [due.store for due in registry.views_to_purge(now=near.now)] == ["default"]
    assert upkeep.purge_retired(stores=near.store_of, now=near.now) == 1
    assert near.store.read_rows(near.project, "v", [key]) == [None]


def test_a_view_that_returns_to_another_store_than_it_left_is_purged_there_first(near):
    test_batch.define(near)
    near.apply(entities=[KEY])
    upkeep.purge_retired(stores=near.store_of, now=near.now)
    test_batch.define(near)
    assert not near.view().awaits_purge  # it was purged here
    near.apply(entities=[KEY])
    upkeep.purge_retired(stores=near.store_of, now=near.now)
    near.lives_in = "far"
    near.apply(entities=[KEY])
    test_batch.define(near)
    assert near.view().awaits_purge


def test_what_feast_wrote_is_never_purged(near, settings, tmp_path):
    settings.FRESHLINE_STORES = {"feast": f"feast+sqlite://{tmp_path}/feast.db"}
    test_batch.define(near)
    near.lives_in = "feast"
    near.apply(entities=[KEY], feature_views=[view_document()])
    follow(near)
    assert not FeatureView.objects.exclude(purge_due_at=None).exists()
    assert not (tmp_path / "feast.db").exists()
