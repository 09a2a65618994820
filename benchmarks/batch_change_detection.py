"""A batch of 1,000,000 keys x 10 features of which 2 % changed: what is written, how long, how much memory.

    python -m benchmarks.batch_change_detection [--rows 1000000] [--store sqlite:///...|redis://...]

Runs twice in a home of its own under the temp folder: the first load, then the change, in which 1 % of the
keys have another value, 0.5 % are gone and 0.5 % are new. Exits with 1 unless exactly those were written,
each kind counted apart, and the store equals a full rewrite, key by key. The text is kept in
benchmarks/results.
"""

# ruff: noqa: PLC0415 - settings are read from the environment, which main() makes first
import argparse
import os
import resource
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import results_file

FEATURES = 10
CHANGED_IN = 100  # one key in so many has another value
GONE_IN = 200  # one key in so many is gone, and as many are new


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--store", default="")
    results_file.add_result_option(arguments, "batch_change_detection")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="freshline-benchmark-") as folder:
        home = Path(folder)
        os.environ.update(
            FRESHLINE_HOME=str(home),
            DATABASE_URL=f"sqlite://{home}/control.sqlite3",
            STORE_URL=given.store or f"sqlite://{home}/store.sqlite3",
            DJANGO_SETTINGS_MODULE="controlplane.project.settings",
        )
        lines = head(given)
        wrong, measured = measure(home, given.rows)
        results_file.keep([*lines, *measured], given.result)
        sys.exit(1 if wrong else 0)


def head(given: argparse.Namespace) -> list[str]:
    import duckdb
    import pyarrow

    store = given.store.partition("://")[0] or "sqlite"
    return results_file.head(
        f"python -m benchmarks.batch_change_detection --rows {given.rows}",
        store=f"{store} (SQLite {sqlite3.sqlite_version})" if store == "sqlite" else store,
        libraries=f"DuckDB {duckdb.__version__}, pyarrow {pyarrow.__version__}",
    )


def measure(home: Path, rows: int) -> tuple[bool, list[str]]:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    (home / "data").mkdir()
    define()
    write_source(home, rows, generation=0)
    first, first_took = run()
    write_source(home, rows, generation=1)
    second, second_took = run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    differing = compare_with_full_rewrite(home, rows)
    counts = second.counts
    expected = (rows // GONE_IN, rows // CHANGED_IN, rows // GONE_IN)
    is_right = counts.written == sum(expected) and (counts.added, counts.changed, counts.removed) == expected
    return differing > 0 or not is_right, [
        f"first load: {first.counts.written:,} rows written in {first_took} ({phases(first)})",
        f"{rows:,} keys x {FEATURES} features, {sum(expected):,} of them added, changed or removed:"
        f" {counts.written:,} written in {second_took} ({phases(second)})",
        f"counted apart: added {counts.added:,}, changed {counts.changed:,}, removed {counts.removed:,},"
        f" unchanged {counts.unchanged:,}: {'as expected' if is_right else f'NOT {expected}'}",
        f"peak memory: worker {peak:.0f} MB, reading process at most {child:.0f} MB",
        f"the store equals a full rewrite: {'yes' if differing == 0 else f'NO, {differing:,} keys differ'}",
    ]


def phases(run) -> str:
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in run.ledger["seconds"].items())


def define() -> None:
    from django.db import transaction

    from controlplane.contracts.definition import parse
    from controlplane.kernel import clock
    from controlplane.registry import selectors as registry
    from controlplane.registry.models import Project
    from controlplane.registry.services.storing import Writer

    features = [{"name": f"f{n}", "dtype": "float64", "nullable": False} for n in range(FEATURES)]
    document = {
        "version": 1,
        "project": "bench",
        "entities": [{"name": "e", "join_keys": [{"name": "k", "dtype": "int64"}]}],
        "sources": [{"name": "s", "kind": "parquet", "uri": "data/s.parquet", "event_time": "t"}],
        "feature_views": [
            {
                "name": "v",
                "entities": ["e"],
                "features": features,
                "freshness": {"max_age": "1d"},
                "batch": {"source": "s", "query": "SELECT * FROM s"},
            }
        ],
    }
    now = clock.now()
    with transaction.atomic():
        row = Project.objects.create(name="bench", created_at=now, created_by="bench", changed_at=now)
        before = registry.find_definition("bench")
        Writer(project=row, actor="bench", address="", now=now).store(before, parse(document))


def write_source(home: Path, rows: int, *, generation: int) -> None:
    """Write the source. In generation 1 some keys have another value, some are gone, and some are new."""
    import duckdb

    at = (datetime.now(UTC) - timedelta(minutes=5)).replace(tzinfo=None)
    columns = ", ".join(f"(i * {n + 1} + 0.5)::DOUBLE AS f{n}" for n in range(FEATURES))
    changed = f"CASE WHEN i % {CHANGED_IN} = 0 THEN f3 + {generation} ELSE f3 END"
    keys = f"range({rows}) r(i)"
    if generation:
        keys = f"(SELECT i FROM range({rows + rows // GONE_IN}) r(i) WHERE i >= {rows} OR i % {GONE_IN} <> 1)"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * REPLACE ({changed} AS f3) FROM"
            f" (SELECT i::BIGINT AS k, i, {columns}, TIMESTAMP '{at}' AS t FROM {keys}))"
            f" TO '{home}/data/new.parquet' (FORMAT parquet)"
        )
    (home / "data" / "new.parquet").rename(home / "data" / "s.parquet")


def run():
    from controlplane.ingestion import selectors
    from controlplane.ingestion.services import runs
    from controlplane.ingestion.services.batch.executing import execute_run
    from controlplane.kernel import clock
    from controlplane.registry import selectors as registry
    from store_adapters import Lane

    queued = runs.queue_run(registry.find_view("bench", "v"), Lane.BATCH, now=clock.now())
    started, used = time.monotonic(), processor_seconds()
    execute_run(queued.pk, worker="benchmark")
    took = f"{time.monotonic() - started:.1f} s, {processor_seconds() - used:.1f} s of processor time"
    found = selectors.find_run(queued.pk)
    assert found.state == "succeeded", found.error
    return found, took


def processor_seconds() -> float:
    """Return what this process and its ended children used: other load on the machine hardly moves it."""
    return sum(os.times()[:4])


def compare_with_full_rewrite(home: Path, rows: int) -> int:
    """Return how many keys of the store are not what writing the whole source anew would leave.

    Each of the source has its values, each that is gone is a tombstone, and there are no others.
    """
    import pyarrow.parquet as pq
    from django.conf import settings

    from controlplane.kernel.dtypes import Dtype
    from controlplane.registry import selectors as registry
    from store_adapters import KeyCodec, open_store, row_codec

    record = registry.find_view("bench", "v")
    codec, rows_codec = KeyCodec([("k", Dtype.INT64)]), row_codec(record.layout)
    store, wrong, alive = open_store(settings.STORE_URL), 0, 0
    for batch in pq.ParquetFile(home / "data" / "s.parquet").iter_batches(10_000):
        keys = [codec.encode([k]) for k in batch.column("k").to_pylist()]
        values = zip(*(batch.column(f"f{n}").to_pylist() for n in range(FEATURES)), strict=True)
        for stored, expected in zip(store.read_rows("bench", "v", keys), values, strict=True):
            row = None if stored is None else rows_codec.decode(stored)
            wrong += row is None or row.tombstone or row.values != expected
            alive += 1
    gone = [codec.encode([k]) for k in range(1, rows, GONE_IN)]
    for start in range(0, len(gone), 10_000):
        rest = store.read_rows("bench", "v", gone[start : start + 10_000])
        wrong += sum(stored is None or not rows_codec.decode(stored).tombstone for stored in rest)
    return wrong + abs(count_keys(store) - alive - len(gone))


def count_keys(store) -> int:
    found, after = 0, b""
    while keys := store.sample_keys("bench", "v", limit=10_000, after=after):
        found, after = found + len(keys), keys[-1]
    return found


if __name__ == "__main__":
    main()
