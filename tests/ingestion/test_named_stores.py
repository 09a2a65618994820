"""Projects in stores of their own: each lane writes there, and one that is away holds up nobody else."""

from datetime import timedelta

import pytest

from controlplane.ingestion import tasks
from controlplane.ingestion.models import LaneState
from controlplane.ingestion.services import heartbeats, upkeep
from controlplane.ingestion.services.lanes import publish_watermarks, sync_lanes
from controlplane.ingestion.services.store import online_store, store_names
from controlplane.kernel import clock
from controlplane.kernel.errors import Refused, Unavailable
from controlplane.registry import selectors as registry
from controlplane.registry.models import FeatureView
from monitors.services.known_keys import Memory
from monitors.services.probing import look_at
from store_adapters import Lane
from tests.ingestion.test_batch import define, rows_of
from tests.ingestion.world import KEY, view_document

NOWHERE = "redis://:hunter2@127.0.0.1:1/0"


@pytest.fixture
def far(world, settings, tmp_path):
    """A world whose project lives in the store "far"; ``world.store`` reads that one."""
    settings.FRESHLINE_STORES = {"far": f"sqlite://{tmp_path}/far.sqlite3", "away": NOWHERE}
    world.near, world.store = world.store, online_store("far")
    world.lives_in = "far"
    return world


def with_direct(world):
    world.apply(entities=[KEY], feature_views=[view_document(direct=True)])


def test_direct_rows_and_heartbeats_go_to_the_projects_store_alone(far):
    with_direct(far)
    far.post([{"k": "a", "x": 1}])
    heartbeats.record_heartbeat(far.project, "v", writer="w", as_of=far.now, now=far.now)
    assert far.values("a") == (1, None)
    assert far.watermark("direct") == far.now
    assert far.near.read_rows(far.project, "v", [far.key("a")]) == [None]
    assert far.near.read_watermarks(far.project) == {}


def test_a_batch_goes_to_the_projects_store_and_a_probe_finds_it_there(far):
    define(far)
    far.write_parquet("s.parquet", rows_of([1, 2]))
    assert far.run_batch().state == "succeeded"
    look = look_at(far.view(), far.store_of, memory=Memory(b"", ()), now=far.now)
    assert (look.result.found, look.result.missing, look.result.error) == (2, 0, "")


def test_a_move_raises_the_generation_and_writes_every_row_anew(far):
    far.lives_in = "default"
    define(far)
    far.write_parquet("s.parquet", rows_of([1, 2]))
    far.run_batch()
    assert far.near.read_watermarks(far.project)["v", Lane.BATCH].generation == 1
    far.lives_in = "far"
    define(far)
    far.tick(minutes=1)
    assert upkeep.purge_moved(stores=far.store_of, now=far.now) == 1
    assert far.run_batch().counts.written == 2
    assert far.values("k1") is not None
    assert far.store.read_watermarks(far.project)["v", Lane.BATCH].generation > 1


def test_a_project_in_a_store_without_an_address_is_told_so(far, settings):
    with_direct(far)
    settings.FRESHLINE_STORES = {}
    with pytest.raises(Unavailable, match="store 'far' has no address here"):
        far.post([{"k": "a", "x": 1}])
    look = look_at(far.view(), online_store, memory=Memory(b"", ()), now=far.now)
    assert "has no address" in look.result.error


def two_projects(far):
    """The same view in the store "far" and, under another name, in one that is away."""
    with_direct(far)
    here, far.project, far.lives_in = far.project, far.project + "_z", "away"
    with_direct(far)
    far.project = here


def test_a_store_that_is_away_holds_up_no_other_lane(far):
    two_projects(far)
    with pytest.raises(Unavailable) as told:
        sync_lanes(stores=far.store_of, now=far.now)
    assert "hunter2" not in told.value.detail
    assert [state.project for state in LaneState.objects.all()] == [far.project]


def test_a_store_that_is_away_holds_up_no_other_watermark(far):
    two_projects(far)
    sync = {"view": "v", "lane": "direct", "signature": "", "generation": 1, "is_published": False}
    LaneState.objects.create(project=far.project + "_z", view_id=1_000, watermark_us=5, **sync)
    LaneState.objects.create(project=far.project, view_id=1_001, watermark_us=5, **sync)
    with pytest.raises(Unavailable):
        publish_watermarks(stores=far.store_of)
    assert far.store.read_watermarks(far.project)["v", Lane.DIRECT].us == 5


def test_what_is_told_and_swept_by_the_hour_goes_on_while_a_store_is_away(far, monkeypatch):
    done = []
    monkeypatch.setattr(tasks.lanes, "sync_lanes", away)
    monkeypatch.setattr(tasks.lanes, "publish_watermarks", lambda **_: done.append("told"))
    monkeypatch.setattr(tasks.upkeep, "purge_retired", away)
    monkeypatch.setattr(tasks.upkeep, "forget_old", lambda **_: done.append("swept"))
    for task in (tasks.keep_in_step, tasks.sweep):
        with pytest.raises(Unavailable):
            task()
    assert done == ["told", "swept"]


def away(**_):
    raise Unavailable("store_unavailable", "away")


def test_a_lane_at_rest_tells_nothing_to_the_store_that_its_project_moved_to(far, settings):
    with_direct(far)
    far.post([{"k": "a", "x": 1}])
    LaneState.objects.update(watermark_us=5, is_published=False)
    settings.FRESHLINE_STORES = {"feast": "feast+redis://127.0.0.1:1/0"}
    far.lives_in = "feast"
    far.apply(entities=[KEY], feature_views=[view_document()])
    with clock.fixed(lambda: far.now):
        tasks.keep_in_step()
    assert LaneState.objects.get().is_active is False


def test_every_store_is_swept_whichever_is_away(far):
    swept = []

    class Swept:
        def __init__(self, name):
            self.name = name

        def sweep_expired(self, **_):
            swept.append(self.name)
            if self.name == "away":
                raise Unavailable("store_unavailable", "away")

    with pytest.raises(Unavailable):
        upkeep.forget_old(stores=Swept, now=far.now, refused_kept=far.now - far.now)
    assert swept == store_names() == ["default", "away", "far"]


def test_a_retired_view_leaves_the_store_it_lived_in(far):
    two_projects(far)
    far.post([{"k": "a", "x": 1}])
    key = far.key("a")
    FeatureView.objects.update(retired_at=far.now, purge_due_at=far.now)
    with pytest.raises(Unavailable):
        upkeep.purge_retired(stores=far.store_of, now=far.now)
    assert far.store.read_rows(far.project, "v", [key]) == [None]
    assert [due.project for due in registry.views_to_purge(now=far.now)] == [far.project + "_z"]


def test_many_views_of_a_store_that_is_away_keep_no_other_view_from_being_purged(far, monkeypatch):
    monkeypatch.setattr(upkeep, "_PURGED_AT_ONCE", 1)
    two_projects(far)
    far.post([{"k": "a", "x": 1}])
    key = far.key("a")
    FeatureView.objects.update(retired_at=far.now, purge_due_at=far.now)
    lost = FeatureView.objects.filter(project__name=far.project + "_z")
    lost.update(purge_due_at=far.now - timedelta(days=1))
    with pytest.raises(Unavailable):
        upkeep.purge_retired(stores=far.store_of, now=far.now)
    assert far.store.read_rows(far.project, "v", [key]) == [None]


def test_rows_for_a_store_that_is_only_read_are_refused_as_such(far, settings):
    with_direct(far)
    settings.FRESHLINE_STORES = {"far": "feast+redis://127.0.0.1:1/0"}
    with pytest.raises(Refused) as refused:
        far.post([{"k": "a", "x": 1}])
    assert refused.value.code == "store_read_only"
