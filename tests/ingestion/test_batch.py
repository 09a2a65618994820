"""The batch lane: what is written, what is not, and what the store says afterwards."""

from datetime import timedelta

import pytest

from controlplane.ingestion.engines.duckdb import compare_sources
from controlplane.ingestion.models import RefusedRow
from controlplane.ingestion.services.batch import reading
from controlplane.kernel.clock import to_us
from store_adapters import Lane
from tests.ingestion.world import FEATURES, KEY, NOW, view_document

SOURCE = {"name": "s", "kind": "parquet", "uri": "data/s.parquet", "event_time": "t", "max_idle": "1h"}
BATCH = {"source": "s", "query": "SELECT * FROM s"}


def minutes_ago(number):
    """An event time as files have it: without a zone."""
    return (NOW - timedelta(minutes=number)).replace(tzinfo=None)


def define(world, *, batch=(), source=(), **view):
    document = view_document(batch={**BATCH, **dict(batch)}, **view)
    world.apply(entities=[KEY], sources=[{**SOURCE, **dict(source)}], feature_views=[document])


@pytest.fixture
def batch(any_world):
    define(any_world)
    return any_world


def rows_of(numbers, *, ago=10, value=lambda number: number):
    return [(f"k{number}", value(number), None, minutes_ago(ago)) for number in numbers]


def test_the_first_run_writes_everything_and_moves_the_watermark(batch):
    batch.write_parquet("s.parquet", rows_of(range(50)))
    run = batch.run_batch()
    assert (run.state, run.error) == ("succeeded", None)
    assert (run.counts.read, run.counts.added, run.counts.written) == (50, 50, 50)
    row = batch.row("k7")
    assert row.values == (7, None)
    assert (row.lane, row.run_number, row.position) == (Lane.BATCH, run.run_number, run.run_number)
    assert row.event_time_us == to_us(NOW - timedelta(minutes=10))
    # progress + max_idle would be later than the start of the reading
    assert batch.watermark("batch") == NOW
    assert run.watermark_after_us == to_us(NOW)


def test_only_what_changed_is_written(batch):
    batch.write_parquet("s.parquet", rows_of(range(100)))
    first = batch.run_batch()
    batch.tick(minutes=15)
    changed = rows_of(range(3), ago=1, value=lambda number: number + 1000)
    batch.write_parquet("s.parquet", [*changed, *rows_of(range(3, 98)), *rows_of([200], ago=1)])
    second = batch.run_batch()
    counts = second.counts
    assert (counts.changed, counts.added, counts.removed, counts.unchanged) == (3, 1, 2, 95)
    assert counts.written == 6
    assert batch.values("k1") == (1001, None)
    assert batch.values("k99") == "gone"
    assert batch.values("k200") == (200, None)
    assert batch.row("k50").run_number == first.run_number
    assert second.ledger["writes_avoided"] == 95


def test_a_later_event_time_alone_changes_nothing(batch):
    batch.write_parquet("s.parquet", rows_of(range(10), ago=10))
    batch.run_batch()
    batch.write_parquet("s.parquet", rows_of(range(10), ago=5))
    assert batch.run_batch().counts.written == 0


def test_a_correction_back_in_event_time_is_not_lost(batch):
    batch.write_parquet("s.parquet", rows_of([1], ago=5))
    batch.run_batch()
    batch.write_parquet("s.parquet", rows_of([1], ago=60, value=lambda _: 77))
    assert batch.run_batch().counts.written == 1
    row = batch.row("k1")
    assert row.values == (77, None)
    assert row.event_time_us == to_us(NOW - timedelta(minutes=5))


def test_a_key_that_vanishes_for_a_run_and_returns_is_there_again(batch):
    batch.write_parquet("s.parquet", rows_of([1, 2], ago=5))
    batch.run_batch()
    batch.write_parquet("s.parquet", rows_of([2], ago=5))
    assert batch.run_batch().counts.removed == 1
    assert batch.values("k1") == "gone"
    assert batch.run_batch().counts.written == 0  # it is not removed twice
    batch.write_parquet("s.parquet", rows_of([1, 2], ago=5))
    run = batch.run_batch()
    assert (run.counts.added, run.counts.written) == (1, 1)
    assert batch.values("k1") == (1, None)


class TestOtherLanes:
    @pytest.fixture
    def both(self, any_world):
        define(any_world, direct=True)
        return any_world

    def test_a_key_that_another_lane_wrote_later_keeps_that_value(self, both):
        both.write_parquet("s.parquet", rows_of([1, 2], ago=30))
        both.run_batch()
        both.post([{"k": "k1", "x": 500}])
        run = both.run_batch()
        assert run.state == "succeeded"
        assert (run.counts.changed, run.counts.written, run.counts.older) == (1, 0, 1)
        assert both.values("k1") == (500, None)

    def test_a_key_that_another_lane_overwrote_in_between_comes_back_with_a_later_row(self, both):
        both.write_parquet("s.parquet", rows_of([1, 2], ago=30))
        both.run_batch()
        both.post([{"k": "k1", "x": 500, "event_time": to_us(NOW - timedelta(minutes=20))}])
        # The batch value is the same as ever; only its event time tells that it is later than the stream's.
        both.write_parquet("s.parquet", rows_of([1, 2], ago=10))
        run = both.run_batch()
        assert (run.counts.written, both.values("k1")) == (1, (1, None))

    def test_a_key_that_lost_is_looked_at_again_until_it_wins(self, both):
        both.write_parquet("s.parquet", rows_of([1], ago=30))
        both.run_batch()
        both.post([{"k": "k1", "x": 500}])
        both.run_batch()
        both.tick(hours=2)
        later = (NOW + timedelta(hours=1)).replace(tzinfo=None)
        both.write_parquet("s.parquet", [("k1", 1, None, later)])
        both.run_batch()
        assert both.values("k1") == (1, None)

    def test_a_removed_key_that_another_lane_wrote_later_stays(self, both):
        both.write_parquet("s.parquet", rows_of([1, 2], ago=30))
        both.run_batch()
        both.post([{"k": "k1", "x": 500}])
        both.write_parquet("s.parquet", rows_of([2], ago=30))
        both.run_batch()
        assert both.values("k1") == (500, None)


def test_a_source_that_is_replaced_while_it_is_read_is_read_as_it_was(batch, monkeypatch):
    batch.write_parquet("s.parquet", rows_of([1]))
    batch.write_parquet("newer.part", rows_of([1, 2]))

    def replace_and_compare(*what, **how):
        (batch.data / "newer.part").replace(batch.data / "s.parquet")
        return compare_sources(*what, **how)

    monkeypatch.setattr(reading, "compare_sources", replace_and_compare)
    run = batch.run_batch()
    assert (run.state, run.error, run.counts.read) == ("succeeded", None, 1)
    monkeypatch.undo()
    batch.tick(minutes=1)
    assert batch.run_batch().counts.added == 1


class TestWatermark:
    def test_it_is_progress_and_max_idle_when_the_source_rests_longer(self, batch):
        batch.write_parquet("s.parquet", rows_of([1], ago=90))
        batch.run_batch()
        assert batch.watermark("batch") == NOW - timedelta(minutes=30)

    def test_a_source_that_died_holds_it_while_our_runs_go_on_succeeding(self, batch):
        batch.write_parquet("s.parquet", rows_of([1], ago=0))
        batch.run_batch()
        for _ in range(5):
            batch.tick(minutes=30)
            assert batch.run_batch().state == "succeeded"
        assert batch.watermark("batch") == NOW + timedelta(hours=1)

    def test_a_run_that_reads_nothing_leaves_it_and_removes_nothing_and_is_hollow(self, batch):
        batch.write_parquet("s.parquet", rows_of([1]))
        batch.run_batch()
        batch.write_parquet("s.parquet", [])
        batch.tick(minutes=30)
        run = batch.run_batch()
        assert (run.state, run.counts.removed) == ("succeeded", 0)
        assert "0 rows" in run.hollow
        assert batch.watermark("batch") == NOW
        assert batch.values("k1") == (1, None)
        batch.tick(minutes=30)
        assert batch.run_batch().hollow  # nor does it get used to it

    def test_a_source_that_rests_is_no_news_before_its_values_are_stale(self, any_world):
        """It may rest for an hour, and values may be 45 minutes old: only after both is a run hollow."""
        define(any_world, batch={"schedule": "*/10 * * * *"}, freshness={"max_age": "45m"})
        any_world.write_parquet("s.parquet", rows_of([1], ago=0))
        any_world.run_batch()
        any_world.tick(minutes=105)
        assert not any_world.run_batch().hollow
        any_world.tick(minutes=1)
        assert "has not moved for 6360 s" in any_world.run_batch().hollow

    def test_a_schedule_explains_two_of_its_intervals(self, any_world):
        define(
            any_world,
            batch={"schedule": "0 * * * *"},
            source={"max_idle": "1m"},
            freshness={"max_age": "90m"},
        )
        any_world.write_parquet("s.parquet", rows_of([1], ago=0))
        any_world.run_batch()
        any_world.tick(hours=2)
        assert not any_world.run_batch().hollow
        any_world.tick(minutes=1)
        assert any_world.run_batch().hollow

    def test_without_an_event_time_the_files_change_is_progress(self, any_world):
        define(any_world, source={"event_time": None, "max_idle": "1h"})
        any_world.write_parquet("s.parquet", [("k1", 1, None, None)])
        import os

        changed = to_us(NOW - timedelta(minutes=95)) / 1_000_000
        os.utime(any_world.data / "s.parquet", (changed, changed))
        any_world.run_batch()
        assert any_world.watermark("batch") == NOW - timedelta(minutes=35)
        assert any_world.row("k1").event_time_us == to_us(NOW - timedelta(minutes=95))

    def test_of_several_sources_the_least_counts(self, any_world):
        sources = [{**SOURCE, "max_idle": "10m"}, {**SOURCE, "name": "r", "uri": "data/r.parquet"}]
        query = "SELECT s.k, s.x, s.y, greatest(s.t, r.t) AS t FROM s JOIN r USING (k)"
        document = view_document(batch={"sources": ["s", "r"], "query": query})
        any_world.apply(entities=[KEY], sources=sources, feature_views=[document])
        any_world.write_parquet("s.parquet", rows_of([1], ago=30))
        any_world.write_parquet("r.parquet", rows_of([1], ago=0))
        assert any_world.run_batch().state == "succeeded"
        assert any_world.watermark("batch") == NOW - timedelta(minutes=20)

    def test_a_changed_query_raises_the_generation(self, batch):
        batch.write_parquet("s.parquet", rows_of([1], ago=0))
        batch.run_batch()
        define(batch, batch={"query": "SELECT * FROM s WHERE x < 1000"}, source={"max_idle": "5m"})
        batch.write_parquet("s.parquet", rows_of([1], ago=50))
        batch.run_batch()
        stored = batch.store.read_watermarks(batch.project)["v", Lane.BATCH]
        assert (stored.generation, stored.us) == (2, to_us(NOW - timedelta(minutes=45)))


class TestRefused:
    def test_bad_values_are_refused_with_field_and_reason_and_the_rest_is_written(self, batch):
        bad = [("bad1", -5, None, minutes_ago(1)), ("bad2", 1, "longer than eight", minutes_ago(1))]
        batch.write_parquet("s.parquet", [*rows_of(range(60)), *bad, (None, 1, None, minutes_ago(1))])
        run = batch.run_batch()
        assert (run.state, run.counts.refused, run.counts.written) == ("succeeded", 3, 60)
        found = {(row.field, row.code) for row in RefusedRow.objects.filter(project=batch.project)}
        assert found == {("x", "out_of_domain"), ("y", "out_of_domain"), ("k", "absent_key")}
        assert batch.values("bad1") is None

    def test_a_refused_update_holds_the_old_value_and_a_good_one_ends_it(self, batch):
        batch.write_parquet("s.parquet", rows_of([1, 2], ago=20))
        batch.run_batch()
        batch.write_parquet("s.parquet", [*rows_of([2], ago=20), ("k1", -1, None, minutes_ago(1))])
        run = batch.run_batch()
        assert (run.state, run.counts.refused) == ("succeeded", 1)
        row = batch.row("k1")
        assert (row.held, row.values, row.event_time_us) == (True, (1, None), to_us(NOW) - 20 * 60_000_000)
        again = batch.run_batch()
        assert (again.counts.refused, again.counts.written, batch.row("k1").held) == (1, 0, True)
        batch.write_parquet("s.parquet", rows_of([1, 2], ago=20))
        batch.run_batch()
        assert (batch.row("k1").held, batch.values("k1")) == (False, (1, None))

    def test_a_refused_key_is_not_a_removed_one(self, batch):
        batch.write_parquet("s.parquet", rows_of([1, 2]))
        batch.run_batch()
        batch.write_parquet("s.parquet", [*rows_of([2]), ("k1", 1, None, None)])
        run = batch.run_batch()
        assert (run.counts.removed, run.counts.refused) == (0, 1)
        assert RefusedRow.objects.get(project=batch.project).field == "t"
        assert batch.row("k1").held

    def test_a_value_that_would_lose_digits_is_refused(self, any_world):
        define(any_world)
        columns = "k VARCHAR, x DOUBLE, y VARCHAR, t TIMESTAMP"
        rows = [("whole", 3.0, None, minutes_ago(1)), ("part", 3.5, None, minutes_ago(1))]
        any_world.write_parquet("s.parquet", rows, columns=columns)
        run = any_world.run_batch()
        assert (run.counts.refused, any_world.values("whole"), any_world.values("part")) == (
            1,
            (3, None),
            None,
        )
        refused = RefusedRow.objects.get(project=any_world.project)
        assert (refused.field, refused.code) == ("x", "cast_loses")
        assert "3.5" in refused.message

    def test_sums_of_integers_fit_although_the_engine_makes_them_wide(self, any_world):
        define(
            any_world, batch={"query": "SELECT k, sum(x) AS x, min(y) AS y, max(t) AS t FROM s GROUP BY k"}
        )
        any_world.write_parquet("s.parquet", [*rows_of([1], ago=3), *rows_of([1], ago=2)])
        assert any_world.run_batch().state == "succeeded"
        assert any_world.values("k1") == (2, None)


class TestBreakers:
    def test_too_many_refused_rows_hold_the_run_before_its_first_write(self, batch):
        bad = rows_of(range(100, 130), value=lambda _: -1)
        batch.write_parquet("s.parquet", [*rows_of(range(100)), *bad])
        run = batch.run_batch()
        assert run.state == "held"
        assert "30 of 130 rows would be refused" in run.hold_reason
        assert batch.values("k1") is None
        assert batch.watermark("batch") is None

    def test_a_released_run_writes_what_was_frozen(self, batch):
        from controlplane.ingestion.services import runs

        self.test_too_many_refused_rows_hold_the_run_before_its_first_write(batch)
        held = batch.latest("batch")
        from controlplane.ingestion.models import IngestionRun

        runs.release_run(IngestionRun.objects.get(pk=held.id), now=batch.tick(minutes=1))
        run = batch.execute(held.id)
        assert (run.state, run.counts.written) == ("succeeded", 100)
        assert batch.values("k1") == (1, None)

    def test_the_next_run_takes_the_place_of_a_held_one(self, batch):
        self.test_too_many_refused_rows_hold_the_run_before_its_first_write(batch)
        held = batch.latest("batch")
        batch.write_parquet("s.parquet", rows_of(range(100)))
        assert batch.run_batch().state == "succeeded"
        from controlplane.ingestion import selectors

        assert selectors.find_run(held.id).state == "aborted"

    def test_too_many_removed_keys_hold_the_run(self, world):
        define(world)
        world.write_parquet("s.parquet", rows_of(range(1100)))
        world.run_batch()
        world.write_parquet("s.parquet", rows_of(range(900)))
        run = world.run_batch()
        assert (run.state, world.values("k1000")) == ("held", (1000, None))
        assert "removed" in run.hold_reason


def test_absent_keys_are_kept_where_the_source_holds_only_new_rows(world):
    define(world, batch={"absent": "keep"})
    world.write_parquet("s.parquet", rows_of([1]))
    world.run_batch()
    world.write_parquet("s.parquet", rows_of([2]))
    run = world.run_batch()
    assert (run.counts.added, run.counts.removed, world.values("k1")) == (1, 0, (1, None))


def test_the_latest_row_of_a_key_wins_and_ties_are_told(world):
    define(world)
    rows = [
        ("a", 1, None, minutes_ago(5)),
        ("a", 2, None, minutes_ago(3)),
        ("a", 3, None, minutes_ago(9)),
        ("b", 1, None, minutes_ago(3)),
        ("b", 2, None, minutes_ago(3)),
        ("c", 5, None, minutes_ago(3)),
        ("c", 5, None, minutes_ago(3)),
    ]
    world.write_parquet("s.parquet", rows)
    run = world.run_batch()
    assert [world.values(key) for key in "abc"] == [(2, None), (2, None), (5, None)]
    assert (run.counts.read, run.counts.added, run.ledger["ambiguous"]) == (7, 3, 1)


def test_order_by_decides_ties(world):
    define(world, source={"order_by": "version"})
    columns = "k VARCHAR, x BIGINT, y VARCHAR, t TIMESTAMP, version INTEGER"
    rows = [("a", 9, None, minutes_ago(3), 1), ("a", 1, None, minutes_ago(3), 2)]
    world.write_parquet("s.parquet", rows, columns=columns)
    run = world.run_batch()
    assert (world.values("a"), run.ledger["ambiguous"]) == ((1, None), 0)


def test_a_new_layout_rewrites_all_and_loses_no_correction(batch):
    batch.write_parquet("s.parquet", rows_of(range(10), ago=5))
    batch.run_batch()
    wider = [*FEATURES, {"name": "z", "dtype": "int64"}]
    define(batch, features=wider, batch={"query": "SELECT *, x * 2 AS z FROM s"})
    batch.write_parquet("s.parquet", rows_of(range(10), ago=50))
    run = batch.run_batch()
    assert (run.state, run.counts.changed, run.counts.written) == ("succeeded", 10, 10)
    assert batch.values("k3") == (3, None, 6)


def test_full_rewrites_all(batch):
    batch.write_parquet("s.parquet", rows_of(range(10)))
    batch.run_batch()
    run = batch.run_batch(full=True)
    assert run.counts.changed == 10
    assert run.counts.written == 0  # the store has it all, and says so
