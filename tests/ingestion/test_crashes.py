"""Kill -9 in the middle of a batch: another worker finishes it, and the store tells nothing of it."""

import os
import random
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection

from controlplane.ingestion import selectors
from controlplane.ingestion.models import IngestionRun, LaneState, RunTransition
from controlplane.ingestion.services import runs
from controlplane.kernel import clock
from store_adapters import Lane
from tests.ingestion.conftest import build_world
from tests.ingestion.test_batch import define
from tests.ingestion.world import redis_url

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
BATCH = "controlplane.ingestion.services.batch"
POINTS = [
    f"{BATCH}.planning:read_and_compare:1:after",
    f"{BATCH}.planning:check_and_pack:1:after",
    f"{BATCH}.planning:freeze:1:after",
    f"{BATCH}.planning:_freeze:1:after",
    f"{BATCH}.writing:_mark_dirty:1:after",
    f"{BATCH}.writing:_writes:3:before",
    f"{BATCH}.writing:add_touched:2:after",
    f"{BATCH}.executing:verify_plan:1:before",
    f"{BATCH}.committing:manifests.publish_manifest:1:after",
    f"{BATCH}.committing:publish_watermark:1:after",
    f"{BATCH}.committing:move_run:1:before",
    f"{BATCH}.committing:move_run:1:after",
]


@pytest.fixture
def shared(tmp_path, settings, transactional_db):
    """A world whose database and store other processes see as well."""
    return _shared(tmp_path, settings, f"sqlite://{tmp_path}/store.sqlite3")


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def any_shared(request, tmp_path, settings, transactional_db):
    url = f"sqlite://{tmp_path}/store.sqlite3" if request.param == "sqlite" else redis_url()
    return _shared(tmp_path, settings, url)


def _shared(tmp_path, settings, store_url):
    world = build_world(tmp_path, settings, store_url)
    world.now = clock.now()
    define(world, batch={"max_removed": 1.0})
    return world


def environment(world):
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        database = f"sqlite://{found['NAME']}"
    else:
        login = f"{found['USER']}:{found['PASSWORD']}@" if found["USER"] else ""
        database = f"postgresql://{login}{found['HOST']}:{found['PORT']}/{found['NAME']}"
    return {
        **os.environ,
        "DATABASE_URL": database,
        "STORE_URL": world.store_url,
        "STATE_URL": f"file://{world.folder}/state",
        "FRESHLINE_HOME": str(world.folder / "home"),
        "TEST_SOURCE_ROOT": str(world.data),
        "FRESHLINE_LEASE": "5s",
    }


def start(world, run_id, point="-"):
    command = [sys.executable, "-m", "tests.ingestion.crashing_worker", str(run_id), point]
    return subprocess.Popen(command, env=environment(world), stderr=subprocess.PIPE)


def snapshot(world, numbers, *, shift):
    """Write a source: key n has the value n + shift."""
    at = (world.now - timedelta(minutes=5)).replace(tzinfo=None, microsecond=0)
    world.write_parquet("s.parquet", [(f"k{n}", n + shift, None, at) for n in numbers])


def check(world, present, gone, *, shift):
    """The store is as a full rewrite would leave it."""
    for n in present:
        assert world.values(f"k{n}") == (n + shift, None), n
    for n in gone:
        assert world.values(f"k{n}") == "gone", n


def finish(world, run_id):
    """Another worker, after the lease has run out."""
    world.now = clock.now() + timedelta(minutes=1)
    return world.execute(run_id)


def queue(world):
    return runs.queue_run(world.view(), Lane.BATCH, now=clock.now()).pk


@pytest.mark.parametrize("point", POINTS, ids=[point.split(".")[-1] for point in POINTS])
def test_another_worker_finishes_what_a_killed_one_began(shared, point):
    snapshot(shared, range(150), shift=0)
    assert shared.run_batch().state == "succeeded"
    shared.now = clock.now()
    snapshot(shared, range(20, 170), shift=1000)
    run_id = queue(shared)
    worker = start(shared, run_id, point)
    _, stderr = worker.communicate(timeout=60)
    assert worker.returncode == -signal.SIGKILL, stderr.decode()
    run = finish(shared, run_id)
    assert run.state == "succeeded", run.error
    check(shared, range(20, 170), range(20), shift=1000)
    counts = run.counts
    assert (counts.added, counts.changed, counts.removed, counts.written) == (20, 130, 20, 170)
    ends = RunTransition.objects.filter(run_id=run_id, event__in=["COMPLETE", "FAIL", "ABORT"])
    assert [end.event for end in ends] == ["COMPLETE"]
    shared.now += timedelta(minutes=1)
    assert shared.run_batch().counts.written == 0
    state = LaneState.objects.get(lane="batch")
    assert (state.is_published, state.dirty_plans) == (True, [])
    assert shared.watermark("batch") == clock.from_us(state.watermark_us)
    assert len(list((shared.folder / "state").glob("*/manifests/*"))) == 1
    assert not list((shared.folder / "state").glob("*/plans/*"))


def test_a_run_that_is_cancelled_halfway_leaves_nothing_that_the_next_does_not_mend(shared):
    """Half of the delta is written and no manifest knows it; then the source is as it was before."""
    snapshot(shared, range(150), shift=0)
    shared.run_batch()
    shared.now = clock.now()
    snapshot(shared, range(20, 170), shift=1000)
    run_id = queue(shared)
    start(shared, run_id, f"{BATCH}.writing:add_touched:2:before").communicate(timeout=60)
    IngestionRun.objects.filter(pk=run_id).update(is_cancelled=True)
    assert finish(shared, run_id).state == "aborted"
    snapshot(shared, range(150), shift=0)
    run = shared.run_batch()
    assert run.state == "succeeded", run.error
    check(shared, range(150), (), shift=0)
    assert all(shared.values(f"k{n}") in (None, "gone") for n in range(150, 170))


def test_two_workers_at_once_are_one(shared):
    snapshot(shared, range(150), shift=0)
    run_id = queue(shared)
    workers = [start(shared, run_id) for _ in range(2)]
    for worker in workers:
        _, stderr = worker.communicate(timeout=60)
        assert worker.returncode == 0, stderr.decode()
    run = selectors.find_run(run_id)
    assert (run.state, run.counts.written) == ("succeeded", 150)
    assert IngestionRun.objects.get(pk=run_id).fence == 1


@pytest.mark.parametrize("seed", range(2))
def test_kills_at_any_moment_change_nothing(any_shared, seed):
    shared = any_shared
    chance = random.Random(seed)
    shift, present, everything = 0, range(100), set()
    for round_ in range(3):
        shared.now = clock.now()
        shift += 1000
        present = range(chance.randrange(30), 120 + chance.randrange(60))
        everything |= set(present)
        snapshot(shared, present, shift=shift)
        run_id = queue(shared)
        for _ in range(3):
            worker = start(shared, run_id)
            threading.Event().wait(chance.uniform(0.5, 3.0))
            worker.kill()
            worker.wait()
            # The lease of the dead runs out; the next one is let in at once, as a later clock would.
            IngestionRun.objects.filter(pk=run_id, state="running").update(lease_until=clock.now())
        run = finish(shared, run_id) if selectors.find_run(run_id).state != "succeeded" else None
        assert run is None or run.state == "succeeded", (round_, run.error)
        check(shared, present, everything - set(present), shift=shift)
