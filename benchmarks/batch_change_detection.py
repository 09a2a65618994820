"""A batch of 1,000,000 keys x 10 features of which 2 % changed: what is written, how long, how much memory.

    python -m benchmarks.batch_change_detection [--rows 1000000] [--store sqlite:///...|redis://...]

Runs twice in a home of its own under the temp folder: the first load, then the change. Exits with 1 unless
exactly 2 % were written and the store equals a full rewrite, key by key.
"""

# ruff: noqa: PLC0415 - settings are read from the environment, which main() makes first
import argparse
import os
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

FEATURES = 10
CHANGED_IN = 50  # one in fifty: 2 %


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--store", default="")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="freshline-benchmark-") as folder:
        home = Path(folder)
        os.environ.update(
            FRESHLINE_HOME=str(home),
            DATABASE_URL=f"sqlite://{home}/control.sqlite3",
            STORE_URL=given.store or f"sqlite://{home}/store.sqlite3",
            DJANGO_SETTINGS_MODULE="controlplane.project.settings",
        )
        sys.exit(measure(home, given.rows))


def measure(home: Path, rows: int) -> int:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    (home / "data").mkdir()
    define()
    expected = rows // CHANGED_IN
    write_source(home, rows, generation=0)
    first, first_seconds = run()
    write_source(home, rows, generation=1)
    second, seconds = run()
    wrong = compare_with_full_rewrite(home, rows)
    counts = second.counts
    print(f"first load: {first.counts.written:,} rows written in {first_seconds:.1f} s")
    print(
        f"{rows:,} keys x {FEATURES} features, {expected:,} changed: {counts.written:,} written"
        f" (added {counts.added:,}, changed {counts.changed:,}, removed {counts.removed:,},"
        f" unchanged {counts.unchanged:,}) in {seconds:.1f} s"
    )
    print("seconds by phase: " + ", ".join(f"{k} {v:.1f}" for k, v in second.ledger["seconds"].items()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory: worker {peak:.0f} MB, reading process {child:.0f} MB")
    print(f"the store equals a full rewrite: {'yes' if wrong == 0 else f'NO, {wrong:,} keys differ'}")
    return 0 if counts.written == expected and wrong == 0 else 1


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
    """Write the source. In generation 1 every fiftieth key has another value in one of its features."""
    import duckdb

    at = (datetime.now(UTC) - timedelta(minutes=5)).replace(tzinfo=None)
    columns = ", ".join(f"(i * {n + 1} + 0.5)::DOUBLE AS f{n}" for n in range(FEATURES))
    changed = f"CASE WHEN i % {CHANGED_IN} = 0 THEN f3 + {generation} ELSE f3 END"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * REPLACE ({changed} AS f3) FROM"
            f" (SELECT i::BIGINT AS k, i, {columns}, TIMESTAMP '{at}' AS t FROM range({rows}) r(i)))"
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
    started = time.monotonic()
    execute_run(queued.pk, worker="benchmark")
    seconds = time.monotonic() - started
    found = selectors.find_run(queued.pk)
    assert found.state == "succeeded", found.error
    return found, seconds


def compare_with_full_rewrite(home: Path, rows: int) -> int:
    """Return how many keys of the store do not have the source's values."""
    import pyarrow.parquet as pq
    from django.conf import settings

    from controlplane.kernel.dtypes import Dtype
    from controlplane.registry import selectors as registry
    from store_adapters import KeyCodec, open_store, row_codec

    record = registry.find_view("bench", "v")
    codec, rows_codec = KeyCodec([("k", Dtype.INT64)]), row_codec(record.layout)
    store, wrong = open_store(settings.STORE_URL), 0
    for batch in pq.ParquetFile(home / "data" / "s.parquet").iter_batches(10_000):
        keys = [codec.encode([k]) for k in batch.column("k").to_pylist()]
        values = zip(*(batch.column(f"f{n}").to_pylist() for n in range(FEATURES)), strict=True)
        for stored, expected in zip(store.read_rows("bench", "v", keys), values, strict=True):
            wrong += stored is None or rows_codec.decode(stored).values != expected
    return wrong


if __name__ == "__main__":
    main()
