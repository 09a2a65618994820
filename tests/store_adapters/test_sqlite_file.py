"""What other readers of the SQLite file (Go) rely on."""

import multiprocessing
import os
import sqlite3
from multiprocessing.synchronize import Barrier
from pathlib import Path

from store_adapters import Lane, Watermark, open_store
from store_adapters.sqlite_store import SqliteStore
from tests.store_adapters.stories import LAYOUT, key_of, packed, write_of


def test_the_file_is_in_wal_mode_and_has_the_agreed_tables(tmp_path: Path):
    store = open_store(f"sqlite://{tmp_path}/store.db")
    store.write_rows("p", "v", [write_of(1, packed(), 77)], run_number=1)
    store.write_watermark("p", "v", Lane.STREAM, Watermark(2, 3))
    store.write_layout("p", "v", LAYOUT)
    file = sqlite3.connect(f"file:{tmp_path}/store.db?mode=ro", uri=True)
    assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert file.execute("SELECT * FROM fl_rows").fetchall() == [("p", key_of(1), "v", packed(), 77)]
    assert file.execute("SELECT * FROM fl_watermarks").fetchall() == [("p", "v/stream", 2, 3)]
    assert file.execute("SELECT * FROM fl_layouts").fetchall() == [
        ("p", "v/1", '[{"dtype":"float64","name":"score"},{"dtype":"string","name":"tail"}]')
    ]
    tables = dict(file.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"))
    assert all(sql.endswith("WITHOUT ROWID") for sql in tables.values()), tables


def test_watermarks_of_unknown_lanes_are_left_out(tmp_path: Path):
    store = open_store(f"sqlite://{tmp_path}/store.db")
    store.write_watermark("p", "v", Lane.STREAM, Watermark(2, 3))
    file = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    file.execute("INSERT INTO fl_watermarks VALUES ('p', 'v/carrier_pigeon', 1, 1), ('p', 'v/batch', -1, 1)")
    assert store.read_watermarks("p") == {("v", Lane.STREAM): Watermark(2, 3)}


def test_readers_are_not_stopped_by_a_writer(tmp_path: Path):
    store = open_store(f"sqlite://{tmp_path}/store.db", timeout_seconds=0.05)
    store.write_rows("p", "v", [write_of(1, packed())], run_number=1)
    writer = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM fl_rows")
    fresh = open_store(f"sqlite://{tmp_path}/store.db", timeout_seconds=0.05)
    assert fresh.read_rows("p", "v", [key_of(1)]) == [packed()]
    assert fresh.sample_keys("p", "v", limit=1) == [key_of(1)]


def _open_at_once(path: str, start: Barrier) -> None:
    start.wait()
    open_store(path).ping()


def test_processes_that_meet_over_a_new_file_all_get_in(tmp_path: Path):
    """SQLite does not wait for locks while it switches to WAL."""
    context = multiprocessing.get_context("fork")
    for attempt in range(10):
        start = context.Barrier(6)
        url = f"sqlite://{tmp_path}/store{attempt}.db"
        processes = [context.Process(target=_open_at_once, args=(url, start)) for _ in range(6)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * 6


def test_one_run_writes_more_rows_than_one_transaction_takes(tmp_path: Path):
    store = open_store(f"sqlite://{tmp_path}/store.db")
    writes = [write_of(i, packed(float(i))) for i in range(2_001)]
    assert len(store.write_rows("p", "v", writes, run_number=1)) == 2_001
    assert store.read_rows("p", "v", [key_of(2_000)]) == [packed(2000.0)]


def test_a_connection_does_not_cross_a_fork(tmp_path: Path):
    """SQLite's locks belong to a process: two that share a connection corrupt the file."""
    store = SqliteStore(tmp_path / "store.db")
    with store._connections.use("test") as mine:
        parents = id(mine)

    def child() -> None:
        with store._connections.use("test") as connection:
            assert connection.process == os.getpid() and id(connection) != parents

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode == 0
    with store._connections.use("test") as again:
        assert id(again) == parents
