"""Batch snapshots, events, posts, deletes, cancelled and crashed work in any order, against an oracle.

The oracle keeps, for each key, the greatest row by (event time, lane, place within the lane): what the order
key says. A batch row's event time is the later of the source's and the lane's own last.
"""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as search
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from controlplane.ingestion.models import IngestionRun, LaneState
from controlplane.ingestion.services import runs
from controlplane.ingestion.services.batch import checking, writing
from controlplane.kernel.clock import to_us
from store_adapters import Lane
from tests.ingestion.conftest import build_world
from tests.ingestion.world import KEY, NOW, view_document

KEYS = ["a", "b", "c", "d", "e"]
FILES = {"name": "f", "kind": "parquet", "uri": "data/f.parquet", "event_time": "t", "max_idle": "unlimited"}
EVENTS = {"name": "s", "kind": "stream", "uri": "data/s.jsonl", "event_time": "at"}
MINUTES = st.integers(0, 60)
VALUES = st.integers(0, 3)
GONE = "gone"


class Crash(KeyboardInterrupt):
    """As good as a kill: nothing catches it."""


class MixedLanes(RuleBasedStateMachine):
    make_world = None

    @initialize()
    def begin(self):
        self.world = type(self).make_world()
        stream = {"source": "s", "delete_when": {"field": "op", "equals": "d"}}
        batch = {"source": "f", "query": "SELECT * FROM f"}
        document = view_document(batch=batch, stream=stream, direct=True)
        self.world.apply(entities=[KEY], sources=[FILES, EVENTS], feature_views=[document])
        self.world.append("s.jsonl")
        self.best = {}  # key -> ((event_us, lane, place), value): what the store must hold
        self.lane_event_us = {}  # key -> event time that the batch lane last gave it
        self.lane_value = {}  # key -> value that the batch lane last gave it
        self.snapshot = {}
        self.pending = []
        self.place = 0

    def at(self, minutes):
        return NOW - timedelta(minutes=minutes)

    def offer(self, key, event_us, lane, value):
        """A row arrives: it wins when its order key is greater."""
        self.place += 1
        order = (event_us, lane, self.place)
        if key not in self.best or order > self.best[key][0]:
            self.best[key] = (order, value)

    @rule(key=st.sampled_from(KEYS), minutes=MINUTES, value=VALUES)
    def post(self, key, minutes, value):
        at = to_us(self.at(minutes))
        self.world.tick(seconds=1)
        self.world.post([{"k": key, "x": value, "event_time": at}])
        self.offer(key, at, 2, value)

    @rule(key=st.sampled_from(KEYS), minutes=MINUTES)
    def delete(self, key, minutes):
        at = to_us(self.at(minutes))
        self.world.tick(seconds=1)
        self.world.post(deletes=[{"k": key, "event_time": at}])
        self.offer(key, at, 2, GONE)

    @rule(key=st.sampled_from(KEYS), minutes=MINUTES, value=VALUES, is_delete=st.booleans())
    def produce(self, key, minutes, value, is_delete):
        at = to_us(self.at(minutes))
        self.world.append("s.jsonl", {"k": key, "x": value, "at": at, **({"op": "d"} if is_delete else {})})
        self.pending.append((key, at, GONE if is_delete else value))

    @rule()
    def drain(self):
        self.world.tick(seconds=10)
        self.world.drain()
        for key, at, value in self.pending:
            self.offer(key, at, 1, value)
        self.pending = []

    @precondition(lambda self: self.pending)
    @rule()
    def drain_and_die_before_the_cursor_moves(self):
        self.world.tick(seconds=10)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("controlplane.ingestion.services.stream.drain.record_refusals", _crash)
            with pytest.raises(Crash):
                self.world.drain()
        self.world.tick(minutes=1)
        self.drain()

    @rule(source=st.dictionaries(st.sampled_from(KEYS), st.tuples(VALUES, MINUTES)))
    def snapshot_changes(self, source):
        self.snapshot = source

    @rule(full=st.booleans(), dies=st.sampled_from([None, None, "write", "verify", "cancel"]))
    def run_batch(self, full, dies):
        self.world.tick(minutes=20)  # what was touched before has arrived by now
        rows = [(k, x, None, self.at(m).replace(tzinfo=None)) for k, (x, m) in self.snapshot.items()]
        self.world.write_parquet("f.parquet", rows)
        run = runs.queue_run(self.world.view(), Lane.BATCH, now=self.world.now, full=full)
        if dies is not None:
            self.die(run.pk, dies)
            self.world.tick(minutes=1)
            if dies == "cancel":
                IngestionRun.objects.filter(pk=run.pk, state="running").update(is_cancelled=True)
                self.world.execute(run.pk)
                run = runs.queue_run(self.world.view(), Lane.BATCH, now=self.world.now)
        found = self.world.execute(run.pk)
        assert found.state == "succeeded", found.error
        self.offer_batch()

    def die(self, run_id, place):
        target = {
            "write": (writing, "add_touched"),
            "cancel": (writing, "add_touched"),
            "verify": ("controlplane.ingestion.services.batch.executing", "verify_plan"),
        }[place]
        with pytest.MonkeyPatch.context() as patched:
            if isinstance(target[0], str):
                patched.setattr(".".join(target), _crash)
            else:
                patched.setattr(*target, _crash)
            patched.setattr(checking, "SHARD_ROWS", 2)
            try:
                self.world.execute(run_id)
            except Crash:
                return

    def offer_batch(self):
        for key, (value, minutes) in self.snapshot.items():
            event_us = max(to_us(self.at(minutes)), self.lane_event_us.get(key, -(2**62)))
            if self.lane_value.get(key) == value and self.holds_batch(key):
                continue
            self.offer(key, event_us, 0, value)
            self.lane_event_us[key], self.lane_value[key] = event_us, value
        if not self.snapshot:
            return
        for key in set(self.lane_value) - set(self.snapshot):
            if self.lane_value[key] != GONE:
                self.offer(key, self.lane_event_us[key], 0, GONE)
                self.lane_value[key] = GONE

    def holds_batch(self, key):
        return self.best[key][0][1] == 0

    def teardown(self):
        if not hasattr(self, "world"):
            return
        for key, (_, value) in self.best.items():
            found = self.world.values(key)
            assert (found if found in (None, GONE) else found[0]) == value, key
        if self.snapshot and LaneState.objects.filter(view_id=self.world.view().id, lane="batch").exists():
            self.run_batch(full=False, dies=None)
            self.world.tick(minutes=20)
            assert self.world.run_batch().counts.written == 0


def _crash(*args, **kwargs):
    raise Crash


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_any_mixture_of_lanes_crashes_and_corrections_ends_as_the_oracle_says(tmp_path, settings, db):
    count = iter(range(10_000))

    def make_world():
        folder = tmp_path / str(next(count))
        folder.mkdir()
        return build_world(folder, settings, f"sqlite://{folder}/store.sqlite3")

    MixedLanes.make_world = staticmethod(make_world)
    run_state_machine_as_test(
        MixedLanes,
        settings=search(
            max_examples=15,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
