"""A view that retires while something is at work on it: the work ends, and its rows leave the store."""

from datetime import timedelta

import pytest

from controlplane.ingestion.models import IngestionRun, LaneState, RunTransition
from controlplane.ingestion.services import runs, upkeep
from controlplane.ingestion.services.batch.executing import execute_run
from controlplane.kernel import clock
from store_adapters import Lane
from tests.ingestion import test_batch, test_stream
from tests.ingestion.test_batch import rows_of
from tests.ingestion.world import KEY

LEASE = timedelta(seconds=60)


def purge(world):
    return upkeep.purge_retired(stores=world.store_of, now=world.now)


@pytest.fixture
def streaming(world):
    """A view whose stream has a row in the store, and a run that is open between two drains."""
    test_stream.define(world)
    world.append("s.jsonl", test_stream.event("a", 1))
    assert world.drain().state == "running"
    world.kept_key = world.key("a")
    return world


def retire(world):
    world.apply(entities=[KEY])
    world.tick(seconds=1)


def stored(world):
    return world.store.read_rows(world.project, "v", [world.kept_key])[0]


def test_a_stream_run_between_two_drains_is_ended_and_the_rows_go(streaming):
    retire(streaming)
    assert purge(streaming) == 1
    run = IngestionRun.objects.get()
    assert (run.state, run.ended_at, stored(streaming)) == ("aborted", streaming.now, None)
    assert [told.event for told in RunTransition.objects.order_by("sequence")][-1] == "ABORT"


def test_a_stream_run_whose_worker_died_is_ended_when_its_lease_is_over_and_not_before(streaming):
    claim = claim_again(streaming)
    retire(streaming)
    assert (purge(streaming), IngestionRun.objects.get().state) == (0, "running")
    assert stored(streaming) is not None
    streaming.tick(seconds=60)
    assert (purge(streaming), IngestionRun.objects.get().state) == (1, "aborted")
    assert (stored(streaming), LaneState.objects.count()) == (None, 0)
    with pytest.raises(runs.LostLease):
        claim.renew(now=streaming.now)


def claim_again(world):
    run = IngestionRun.objects.get()
    claim = runs.claim_run(run.pk, worker="dies", now=world.tick(seconds=1), lease=LEASE)
    assert claim is not None
    return claim


def test_a_batch_run_whose_worker_died_is_ended_when_its_lease_is_over(world):
    test_batch.define(world)
    world.write_parquet("s.parquet", rows_of([1]))
    world.run_batch()
    world.kept_key = world.key("k1")
    run = runs.queue_run(world.view(), Lane.BATCH, now=world.now)
    runs.claim_run(run.pk, worker="dies", now=world.now, lease=LEASE)
    retire(world)
    assert purge(world) == 0
    world.tick(seconds=60)
    assert (purge(world), stored(world)) == (1, None)
    with clock.fixed(lambda: world.now):
        execute_run(run.pk, worker="late")
    run.refresh_from_db()
    assert run.state == "aborted"


def test_a_run_that_somebody_took_over_meanwhile_is_not_ended(streaming):
    run = IngestionRun.objects.get()
    claim_again(streaming)
    assert not runs.end_abandoned(run, now=streaming.tick(hours=1))
    assert IngestionRun.objects.get().state == "running"
