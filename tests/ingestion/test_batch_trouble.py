"""The batch lane in trouble: repair, expiry, what it tells, and bad input."""

import os
from datetime import timedelta

import pytest

from controlplane.ingestion.models import RunTransition
from controlplane.ingestion.services.batch import reading
from controlplane.kernel.clock import to_us
from tests.ingestion.world import KEY, NOW, view_document

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


class TestRepair:
    def damage(self, world, key="k3"):
        world.store.delete_rows(world.project, "v", [world.key(key)])

    def test_what_is_read_back_wrong_fails_the_run_and_the_next_repairs_it(self, batch):
        batch.write_parquet("s.parquet", rows_of(range(40)))
        batch.run_batch()
        self.damage(batch)
        batch.tick(minutes=10)
        run = batch.run_batch()
        assert (run.state, run.error["code"]) == ("failed", "verification_failed")
        assert batch.watermark("batch") == NOW
        run = batch.run_batch()
        assert (run.state, run.counts.written) == ("succeeded", 1)
        assert batch.values("k3") == (3, None)

    def test_a_lost_manifest_rewrites_all_and_ends_what_nobody_has_any_more(self, batch):
        batch.write_parquet("s.parquet", rows_of(range(10), ago=5))
        batch.run_batch()
        for path in (batch.folder / "state").glob("*/manifests/*"):
            path.unlink()
        batch.write_parquet("s.parquet", rows_of(range(1, 10), ago=60, value=lambda number: number * 2))
        run = batch.run_batch()
        assert run.state == "succeeded"
        assert [batch.values(f"k{n}") for n in (0, 1, 9)] == ["gone", (2, None), (18, None)]

    def test_a_key_that_was_refused_while_only_the_store_knew_it_is_ended_all_the_same(self, batch):
        batch.write_parquet("s.parquet", rows_of([1, 2]))
        batch.run_batch()
        for path in (batch.folder / "state").glob("*/manifests/*"):
            path.unlink()
        batch.write_parquet("s.parquet", [*rows_of([2]), ("k1", -1, None, minutes_ago(1))])
        assert batch.run_batch().counts.refused == 1
        assert batch.row("k1").held
        batch.tick(minutes=1)
        batch.write_parquet("s.parquet", rows_of([2]))
        assert batch.run_batch().counts.removed == 1
        assert batch.values("k1") == "gone"

    def test_a_broken_manifest_is_a_lost_one(self, batch):
        batch.write_parquet("s.parquet", rows_of(range(10)))
        batch.run_batch()
        for path in (batch.folder / "state").glob("*/manifests/*"):
            path.write_bytes(b"PAR1 no")
        assert batch.run_batch().state == "succeeded"

    def test_a_rebuilt_control_plane_finds_the_keys_of_the_old_one(self, batch):
        batch.write_parquet("s.parquet", rows_of(range(10), ago=5))
        batch.run_batch()
        batch.lane("batch").delete()
        batch.write_parquet("s.parquet", rows_of(range(1, 10), ago=60, value=lambda number: number * 2))
        assert batch.run_batch().state == "succeeded"
        assert [batch.values(f"k{n}") for n in (0, 1, 9)] == ["gone", (2, None), (18, None)]


class TestExpiry:
    def test_unchanged_rows_are_refreshed_when_half_their_time_is_over(self, world):
        define(world, expire_after="30d")
        world.write_parquet("s.parquet", rows_of(range(5)))
        world.run_batch()
        world.tick(days=14)
        assert world.run_batch().ledger["refreshed"] == 0
        world.tick(days=2)
        run = world.run_batch()
        assert (run.ledger["refreshed"], run.counts.unchanged, run.counts.written) == (5, 5, 0)
        world.tick(days=20)
        world.store.sweep_expired(now_us=to_us(world.now), limit=100)
        assert world.values("k1") == (1, None)
        assert world.run_batch().state == "succeeded"

    def test_a_removed_key_is_forgotten_when_its_tombstone_expires(self, world):
        define(world, expire_after="10d")
        world.write_parquet("s.parquet", rows_of([1, 2]))
        world.run_batch()
        world.write_parquet("s.parquet", rows_of([1]))
        world.run_batch()
        world.tick(days=11)
        world.store.sweep_expired(now_us=to_us(world.now), limit=100)
        world.run_batch(full=True)
        import pyarrow.parquet as pq

        manifest = next((world.folder / "state").glob("*/manifests/*"))
        assert pq.read_table(manifest).column("k").to_pylist() == ["k1"]


def test_transitions_are_told_in_order_with_schema_inputs_and_counts(batch):
    batch.write_parquet("s.parquet", rows_of(range(5)))
    run = batch.run_batch()
    told = list(RunTransition.objects.filter(run_id=run.id).order_by("sequence"))
    assert [(row.after, row.event) for row in told] == [
        ("queued", ""),
        ("running", "START"),
        ("succeeded", "COMPLETE"),
    ]
    assert told[1].facts["schema"][0] == {"name": "k", "dtype": "string"}
    assert told[1].facts["inputs"][0]["name"].endswith("data/s.parquet")
    assert told[2].facts["counts"]["written"] == 5


@pytest.mark.parametrize(
    ("columns", "rows", "code", "words"),
    [
        ("k VARCHAR, y VARCHAR, t TIMESTAMP", [("a", "b", None)], "source_schema", "no column 'x'"),
        ("k VARCHAR, x VARCHAR, y VARCHAR, t TIMESTAMP", [("a", "b", "c", None)], "source_schema", "x"),
        ("k VARCHAR, x BIGINT, y VARCHAR", [("a", 1, "c")], "source_schema", "event time 't'"),
        ("k VARCHAR, x BIGINT, y VARCHAR, t VARCHAR", [("a", 1, "c", "now")], "source_schema", "t"),
        ("k STRUCT(a INTEGER), x BIGINT, y VARCHAR, t TIMESTAMP", [], "source_schema", "k"),
    ],
)
def test_a_changed_schema_fails_the_run_and_names_the_column(world, columns, rows, code, words):
    define(world)
    world.write_parquet("s.parquet", rows, columns=columns)
    run = world.run_batch()
    assert (run.state, run.error["code"]) == ("failed", code)
    assert words in run.error["message"]


def test_a_missing_file_a_broken_footer_and_a_file_elsewhere_are_clear_errors(world):
    define(world)
    run = world.run_batch()
    assert (run.state, run.error["code"]) == ("failed", "source_missing")
    (world.data / "s.parquet").write_bytes(b"PAR1 this is no parquet")
    run = world.run_batch()
    assert (run.state, run.error["code"], run.error["source"]) == ("failed", "source_unreadable", "s")
    outside = world.folder / "outside.parquet"
    outside.write_bytes(b"x")
    (world.data / "s.parquet").unlink()
    (world.data / "s.parquet").symlink_to(outside)
    run = world.run_batch()
    assert (run.state, run.error["code"]) == ("failed", "source_outside_roots")


def test_csv_files_and_patterns_are_read(world):
    define(world, source={"kind": "csv", "uri": "data/part-*.csv"})
    (world.data / "part-1.csv").write_text("k,x,y,t\na,1,one,2026-11-23 11:00:00\n")
    (world.data / "part-2.csv").write_text("k,x,y,t\nb,2,,2026-11-23 11:30:00\n")
    run = world.run_batch()
    assert (run.state, run.error) == ("succeeded", None)
    assert (world.values("a"), world.values("b")) == ((1, "one"), (2, None))


def test_as_of_is_bound_to_the_snapshot(world):
    define(world, batch={"query": "SELECT * FROM s WHERE t > $as_of - INTERVAL 1 HOUR"})
    world.write_parquet("s.parquet", [*rows_of([1], ago=30), *rows_of([2], ago=90)])
    world.run_batch()
    assert (world.values("k1"), world.values("k2")) == ((1, None), None)
    world.tick(minutes=45)
    world.run_batch()
    assert world.values("k1") == (1, None)  # zero rows read never removes


def test_a_run_that_fails_leaves_no_copies_of_rows_behind(world):
    define(world, batch={"query": "SELECT k, x, y, t FROM s WHERE x / 0 = 'one'"})
    world.write_parquet("s.parquet", rows_of([1]))
    assert world.run_batch().state == "failed"
    assert not [path for path in (world.folder / "state").rglob("*") if path.is_file()]


def test_lineage_hears_that_a_long_run_is_alive(world, monkeypatch):
    monkeypatch.setattr("controlplane.ingestion.services.batch.work.TELL_SECONDS", -1.0)
    define(world)
    world.write_parquet("s.parquet", rows_of([1]))
    run = world.run_batch()
    told = RunTransition.objects.filter(run_id=run.id).order_by("sequence").values_list("event", flat=True)
    assert list(told)[:2] == ["", "START"]
    assert set(list(told)[2:-1]) == {"RUNNING"}
    assert list(told)[-1] == "COMPLETE"


class TestChangesMeanwhile:
    """The source changes while the engine reads it."""

    @pytest.fixture
    def source(self, batch):
        batch.write_parquet("s.parquet", rows_of(range(3)))
        self.real = reading.compare_sources
        return batch

    def meanwhile(self, monkeypatch, change):
        def compare(*args, **kwargs):
            change()
            return self.real(*args, **kwargs)

        monkeypatch.setattr(reading, "compare_sources", compare)

    def test_a_replaced_one_is_read_to_its_end_and_the_next_run_reads_the_other(self, source, monkeypatch):
        newer = rows_of(range(3), value=lambda number: number + 9)
        self.meanwhile(monkeypatch, lambda: source.write_parquet("s.parquet", newer))
        run = source.run_batch()
        assert (run.state, source.values("k1")) == ("succeeded", (1, None))
        monkeypatch.setattr(reading, "compare_sources", self.real)
        assert source.run_batch().counts.changed == 3

    def test_one_that_is_written_into_is_tried_again_and_it_is_said_what_to_do(self, source, monkeypatch):
        self.meanwhile(monkeypatch, lambda: os.utime(source.data / "s.parquet", (1, 1)))
        run = source.run_batch()
        assert (run.state, run.error["code"]) == ("queued", "source_changed")
        assert "rename it over the old one" in run.error["message"]
        assert source.watermark("batch") is None
        monkeypatch.setattr(reading, "compare_sources", self.real)
        source.tick(minutes=1)
        assert source.execute(run.id).state == "succeeded"
