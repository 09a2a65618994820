"""Scheduled runs, what is claimed and told, and the end of retired views."""

from datetime import timedelta

import pytest

from controlplane.ingestion import tasks
from controlplane.ingestion.models import IngestionRun, LaneState, RunTransition
from controlplane.ingestion.services import runs, scheduling, telling, upkeep
from controlplane.ingestion.services.lanes import sync_lanes
from controlplane.kernel import clock
from lineage.models import RawEvent
from store_adapters import Lane
from tests.ingestion import test_stream
from tests.ingestion.test_batch import define, rows_of
from tests.ingestion.world import KEY, NOW


class BrokenTransport:
    kind = "broken"

    class config_class:
        @staticmethod
        def from_dict(params):
            return None

    def __init__(self, config):
        pass

    def emit(self, event):
        raise OSError("nobody there")


def wake(world):
    with clock.fixed(lambda: world.now):
        tasks.keep_in_step()
        tasks.wake_ingestion()


@pytest.mark.parametrize(
    ("schedule", "first", "passed"),
    [
        ("*/15 * * * *", timedelta(minutes=15), timedelta(minutes=16)),
        ("*/5 * * * * *", timedelta(seconds=5), timedelta(seconds=6)),
    ],
)
def test_a_schedule_of_five_or_six_fields_runs_the_lane_when_it_is_due(world, schedule, first, passed):
    define(world, batch={"schedule": schedule})
    world.write_parquet("s.parquet", rows_of([1, 2]))
    wake(world)
    assert not IngestionRun.objects.exists()
    world.now += passed
    wake(world)
    run = IngestionRun.objects.get()
    assert (run.state, run.scheduled_for, run.written) == ("succeeded", NOW + first, 2)
    wake(world)
    assert IngestionRun.objects.count() == 1


def test_instants_that_nobody_looked_at_become_one_run(world):
    define(world, batch={"schedule": "*/15 * * * *"})
    sync_lanes(stores=world.store_of, now=world.now)
    now = world.tick(hours=5)
    assert scheduling.queue_scheduled(now=now) == 1
    assert scheduling.queue_scheduled(now=now) == 0
    assert IngestionRun.objects.get().scheduled_for == NOW + timedelta(minutes=15)
    assert LaneState.objects.get().next_due_at == NOW + timedelta(hours=5, minutes=15)


def test_two_schedulers_make_one_run_of_an_instant(world):
    define(world, batch={"schedule": "*/15 * * * *"})
    sync_lanes(stores=world.store_of, now=world.now)
    due = LaneState.objects.get().next_due_at
    now = world.tick(minutes=15)
    scheduling.queue_scheduled(now=now)
    IngestionRun.objects.update(state="succeeded")
    LaneState.objects.update(next_due_at=due)  # a second one that looked before the first one moved on
    scheduling.queue_scheduled(now=now)
    assert IngestionRun.objects.count() == 1


def test_a_run_whose_holder_died_is_taken_over(world):
    define(world)
    world.write_parquet("s.parquet", rows_of([1]))
    run = runs.queue_run(world.view(), Lane.BATCH, now=world.now)
    runs.claim_run(run.pk, worker="dead", now=world.now, lease=timedelta(seconds=30))
    assert scheduling.due_runs(now=world.now) == []
    world.tick(seconds=31)
    wake(world)
    run.refresh_from_db()
    assert (run.state, run.fence) == ("succeeded", 2)


def test_transitions_reach_lineage_once(world):
    define(world)
    world.write_parquet("s.parquet", rows_of([1]))
    world.run_batch()
    assert telling.emit_transitions(now=world.now) == 2  # START, COMPLETE
    assert telling.emit_transitions(now=world.now) == 0
    assert RawEvent.objects.count() == 2


def test_a_transport_that_is_down_keeps_events_in_order_for_later(world, settings):
    define(world)
    world.write_parquet("s.parquet", rows_of([1]))
    world.run_batch()
    taken = settings.FRESHLINE_LINEAGE_TRANSPORT
    settings.FRESHLINE_LINEAGE_TRANSPORT = f"{__name__}.BrokenTransport"
    assert telling.emit_transitions(now=world.now) == 0
    attempts = RunTransition.objects.exclude(event="").order_by("sequence")
    assert list(attempts.values_list("emit_attempts", flat=True)) == [1, 0]
    settings.FRESHLINE_LINEAGE_TRANSPORT = taken
    assert telling.emit_transitions(now=world.now) == 0  # the second waits for the first
    assert telling.emit_transitions(now=world.tick(minutes=1)) == 2


def test_rows_of_a_retired_view_leave_the_store(world):
    define(world)
    world.write_parquet("s.parquet", rows_of([1]))
    world.run_batch()
    view = world.view()
    key, waiting = world.key("k1"), runs.queue_run(view, Lane.BATCH, now=world.now)
    world.apply(entities=[KEY])
    assert upkeep.purge_retired(stores=world.store_of, now=world.now) == 1
    waiting.refresh_from_db()
    assert (waiting.state, LaneState.objects.count()) == ("aborted", 0)
    assert world.store.read_rows(world.project, "v", [key]) == [None]


def test_streams_are_followed_and_drained_by_tasks_alone(world):
    test_stream.define(world)
    world.append("s.jsonl", test_stream.event("a", 1))
    with clock.fixed(lambda: world.now):
        tasks.keep_in_step()
        tasks.wake_streams()
    assert world.values("a") == (1, "text")


def test_every_wake_up_of_ingestion_names_a_task_that_exists():
    from controlplane.project.schedule import SCHEDULE

    names = [entry["task"] for name, entry in SCHEDULE.items() if name.startswith("ingestion.")]
    assert names
    for name in names:
        assert hasattr(tasks, name.removeprefix("controlplane.ingestion.tasks.")), name
