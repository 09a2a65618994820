"""Claims, leases and fences of runs."""

from datetime import timedelta

import pytest

from controlplane.ingestion.domain.runs import LostLease, RunError, RunState
from controlplane.ingestion.models import IngestionRun, RunTransition
from controlplane.ingestion.services import runs
from controlplane.kernel.errors import Conflict
from store_adapters import Lane
from tests.ingestion.test_batch import define

LEASE = timedelta(seconds=30)


@pytest.fixture
def queued(world):
    define(world)
    return runs.queue_run(world.view(), Lane.BATCH, now=world.now)


def claim(world, run, worker="one"):
    return runs.claim_run(run.pk, worker=worker, now=world.now, lease=LEASE)


def test_a_run_that_somebody_has_is_not_given_twice(world, queued):
    assert claim(world, queued) is not None
    world.tick(seconds=30)
    assert claim(world, queued, "two") is None
    world.tick(microseconds=1)
    assert claim(world, queued, "two").fence == 2


def test_a_holder_that_lost_its_lease_can_write_nothing_more(world, queued):
    first = claim(world, queued)
    world.tick(minutes=1)
    second = claim(world, queued, "two")
    for write in (
        lambda: first.renew(now=world.now),
        lambda: first.update(written=5),
        lambda: runs.move_run(first, RunState.SUCCEEDED, now=world.now),
        lambda: runs.fail_run(first, RunError("internal", "x"), now=world.now),
        lambda: runs.retry_later(first, RunError("internal", "x"), due_at=world.now, now=world.now),
    ):
        with pytest.raises(LostLease):
            write()
    second.renew(now=world.now)
    run = IngestionRun.objects.get()
    assert (run.worker, run.state, run.written) == ("two", "running", 0)


def test_a_renewed_lease_is_kept(world, queued):
    held = claim(world, queued)
    for _ in range(5):
        world.tick(seconds=20)
        held.renew(now=world.now)
        assert claim(world, queued, "two") is None


def test_a_run_that_is_not_due_waits(world, queued):
    held = claim(world, queued)
    runs.retry_later(held, RunError("internal", "x"), due_at=world.now + timedelta(minutes=1), now=world.now)
    assert claim(world, queued) is None
    world.tick(minutes=1)
    assert claim(world, queued) is not None


def test_one_run_of_a_view_is_at_work_at_a_time(world, queued):
    assert claim(world, queued) is not None
    other = runs.queue_run(world.view(), Lane.BATCH, now=world.now)
    assert other.pk != queued.pk
    assert claim(world, other) is None


def test_asking_twice_queues_one_run_and_full_is_not_forgotten(world, queued):
    again = runs.queue_run(world.view(), Lane.BATCH, now=world.now, full=True)
    assert (again.pk, IngestionRun.objects.get().is_full) == (queued.pk, True)


def test_run_numbers_rise_even_when_the_clock_goes_back(world, queued):
    held = claim(world, queued)
    runs.move_run(held, RunState.SUCCEEDED, now=world.now)
    first = IngestionRun.objects.get().run_number
    world.tick(hours=-1)
    later = runs.queue_run(world.view(), Lane.BATCH, now=world.now)
    claim(world, later)
    assert IngestionRun.objects.get(pk=later.pk).run_number == first + 1


def test_each_move_is_a_row_and_an_ended_run_moves_no_more(world, queued):
    held = claim(world, queued)
    runs.fail_run(held, RunError("internal", "it broke"), now=world.now)
    moves = RunTransition.objects.filter(run=queued).order_by("sequence")
    assert [(m.sequence, m.before, m.after, m.event) for m in moves] == [
        (1, "", "queued", ""),
        (2, "queued", "running", "START"),
        (3, "running", "failed", "FAIL"),
    ]
    assert moves[2].facts["error"]["message"] == "it broke"
    queued.refresh_from_db()
    for ask in (runs.cancel_run, runs.release_run):
        with pytest.raises(Conflict):
            ask(queued, now=world.now)
    assert claim(world, queued) is None


def test_a_cancelled_run_that_waits_ends_at_once_and_a_running_one_when_it_looks(world, queued):
    runs.cancel_run(queued, now=world.now)
    assert IngestionRun.objects.get().state == "aborted"
    second = runs.queue_run(world.view(), Lane.BATCH, now=world.now)
    claim(world, second)
    second.refresh_from_db()
    runs.cancel_run(second, now=world.now)
    second.refresh_from_db()
    assert (second.state, second.is_cancelled) == ("running", True)
    world.tick(minutes=1)
    assert world.execute(second.pk).state == "aborted"
