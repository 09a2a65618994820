"""The trusted half: our own SQL over our own files. Latest row per key, digests, comparison, next manifest.

``domain.changes.classify`` says in Python what the CASE below says in SQL; a property test compares them.
"""

# ruff: noqa: S608 - names pass quote(), values literal(); the SQL itself is ours
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from controlplane.ingestion.engines.duckdb_reading import literal, quote
from controlplane.ingestion.engines.jobs import (
    DELTA,
    EVERYTHING,
    KEYLESS,
    MAX_KEYLESS,
    NEXT_MANIFEST,
    PARTITIONS,
    REFUSED,
    ROWS,
    SAMPLE,
    STAGE,
    AmendJob,
    Compared,
    CompareJob,
    Limits,
    ManifestJob,
    SourceShown,
)

_BEFORE_TIME = -(2**62)  # the event time of a key of which only the store may know more


def open_trusted(folder: Path, limits: Limits) -> duckdb.DuckDBPyConnection:
    """Return an engine for our own statements."""
    return duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "threads": limits.threads,
            "memory_limit": f"{limits.memory_mb}MB",
            "temp_directory": str(folder / "spill-compare"),
            "max_temp_directory_size": f"{limits.temp_mb}MB",
            "preserve_insertion_order": False,
        },
    )


def compare(folder: Path, job: CompareJob, shown: list[SourceShown], *, read_seconds: float) -> Compared:
    """Compare ROWS with the manifest; write STAGE, DELTA, SAMPLE and KEYLESS."""
    started = time.monotonic()
    with open_trusted(folder, job.limits) as connection:
        rows = _file(folder / ROWS)
        keys = [quote(column.name) for column in job.join_keys]
        no_key = " OR ".join(f"{key} IS NULL" for key in keys)
        total, keyless = _one(connection, f"SELECT count(*), count(*) FILTER ({no_key}) FROM {rows}")
        connection.execute(
            f"COPY (SELECT * FROM {rows} WHERE {no_key} LIMIT {MAX_KEYLESS})"
            f" TO {literal(str(folder / KEYLESS))}"
        )
        ambiguous = _make_latest(connection, rows, keys, job, no_key=no_key)
        _make_known(connection, keys, job)
        _make_stage(connection, keys, job, any_rows=total > 0)
        changes = connection.execute("SELECT change, count(*) FROM stage GROUP BY change").fetchall()
        known, unsure = _one(
            connection,
            f"SELECT count(*), count(*) FILTER (event_us = {_BEFORE_TIME}) FROM known WHERE NOT removed",
        )
        _write_files(connection, folder, keys, job)
    return Compared(
        sources=shown,
        rows=total,
        keyless=keyless,
        ambiguous=ambiguous,
        known=known,
        unsure=unsure,
        changes=dict(changes),
        seconds={"read": read_seconds, "compare": time.monotonic() - started},
    )


def make_manifest(folder: Path, job: ManifestJob) -> int:
    """Write NEXT_MANIFEST; return how many keys it holds."""
    keys = [quote(name) for name in job.join_keys]
    joined = ", ".join(keys)
    now = job.written_us
    metadata = ", ".join(f"{quote(name)}: {literal(value)}" for name, value in job.metadata.items())
    with open_trusted(folder, job.limits) as connection:
        connection.execute(f"""
            CREATE VIEW decided AS
            SELECT stage.*, refused.hit IS NOT NULL AS is_refused
            FROM {_file(folder / STAGE)} AS stage
            LEFT JOIN (SELECT DISTINCT {joined}, true AS hit FROM {_file(folder / REFUSED)}) AS refused
            USING ({joined})
        """)
        connection.execute(f"""
            COPY (
                SELECT {joined},
                    CASE WHEN is_refused THEN NULL
                         WHEN change = 'removed' THEN NULL
                         WHEN change IN ('unchanged', 'gone') THEN old_digest
                         ELSE digest END AS digest,
                    CASE WHEN change IN ('added', 'changed') AND NOT is_refused
                         THEN CASE WHEN out_event_us > {now} + 5000000 THEN {now} ELSE out_event_us END
                         ELSE old_event_us END AS event_us,
                    CASE WHEN change IN ('unchanged', 'gone') OR is_refused THEN old_written_us
                         ELSE {now} END AS written_us,
                    CASE WHEN is_refused THEN coalesce(old_removed, false)
                         ELSE change IN ('removed', 'gone') END AS removed
                FROM decided
                WHERE change <> 'forgotten' AND NOT (is_refused AND old_event_us IS NULL)
            ) TO {literal(str(folder / NEXT_MANIFEST))} (FORMAT parquet, KV_METADATA {{{metadata}}})
        """)
        return int(_one(connection, f"SELECT count(*) FROM {_file(folder / NEXT_MANIFEST)}")[0])


def amend_manifest(folder: Path, job: AmendJob) -> int:
    """Write ``job.amended``: NEXT_MANIFEST, had the keys of ``job.unwritten`` been refused; return its size.

    What the store has of such a key is what it had before: the entry of before stands, without a digest.
    """
    joined = ", ".join(quote(name) for name in job.join_keys)
    said = pq.read_schema(folder / NEXT_MANIFEST).metadata or {}  # what the engine was that made the digests
    metadata = ", ".join(f"{quote(name.decode())}: {literal(value.decode())}" for name, value in said.items())
    with open_trusted(folder, job.limits) as connection:
        connection.execute(f"""
            COPY (
                SELECT {joined}, digest, event_us, written_us, removed
                FROM {_file(folder / NEXT_MANIFEST)} AS planned
                ANTI JOIN {_file(folder / job.unwritten)} AS unwritten USING ({joined})
                UNION ALL
                SELECT {joined}, NULL, event_us, written_us, coalesce(removed, false)
                FROM {_file(folder / job.unwritten)} WHERE event_us IS NOT NULL
            ) TO {literal(str(folder / job.amended))} (FORMAT parquet, KV_METADATA {{{metadata}}})
        """)
        return int(_one(connection, f"SELECT count(*) FROM {_file(folder / job.amended)}")[0])


def _make_latest(
    connection: duckdb.DuckDBPyConnection, rows: str, keys: Sequence[str], job: CompareJob, *, no_key: str
) -> int:
    """Make ``latest``: one row per key, the latest. Returns how many keys had ties with different values.

    Ties of the event time go by ``order_by``, then by the values in layout order, null lowest: the same row
    wins whatever the order of the input. Most sources have one row per key, and then nothing is sorted.
    """
    joined = ", ".join(keys)
    values = [quote(column.name) for column in job.features]
    digest = f"hash({', '.join([*values, '__bad', '__bad_text'])})"
    connection.execute(
        f"CREATE TABLE doubled AS SELECT {joined} FROM {rows} WHERE NOT ({no_key})"
        f" GROUP BY {joined} HAVING count(*) > 1"
    )
    (doubled,) = _one(connection, "SELECT count(*) FROM doubled")
    if not doubled:
        connection.execute(
            f"CREATE VIEW latest AS SELECT *, {digest} AS digest FROM {rows} WHERE NOT ({no_key})"
        )
        return 0
    order = "__event_us DESC NULLS LAST, __order DESC NULLS LAST"
    ties = ", ".join(f"{value} DESC NULLS LAST" for value in [*values, "__bad", "__bad_text"])
    connection.execute(f"""
        CREATE TABLE chosen AS
        SELECT *, row_number() OVER (PARTITION BY {joined} ORDER BY {order}, {ties}) AS __place,
            rank() OVER (PARTITION BY {joined} ORDER BY {order}) AS __tie
        FROM (SELECT rows.*, {digest} AS digest FROM {rows} AS rows SEMI JOIN doubled USING ({joined}))
    """)
    (ambiguous,) = _one(
        connection,
        f"SELECT count(*) FROM (SELECT 1 FROM chosen WHERE __tie = 1 GROUP BY {joined}"
        " HAVING count(DISTINCT digest) > 1)",
    )
    connection.execute(f"""
        CREATE VIEW latest AS
        SELECT rows.*, {digest} AS digest FROM {rows} AS rows ANTI JOIN doubled USING ({joined})
        WHERE NOT ({no_key})
        UNION ALL BY NAME SELECT * EXCLUDE (__place, __tie) FROM chosen WHERE __place = 1
    """)
    return int(ambiguous)


def _make_known(connection: duckdb.DuckDBPyConnection, keys: Sequence[str], job: CompareJob) -> None:
    """Make ``known``: the manifest, without the digests that are not to be trusted, and the dirty keys."""
    joined = ", ".join(keys)
    manifest = _file(Path(job.manifest)) if job.manifest else None
    types = _types(job)
    connection.execute(
        f"CREATE TABLE known ({types}, digest UBIGINT, event_us BIGINT, written_us BIGINT, removed BOOLEAN)"
    )
    if manifest:
        trusted = _trusted(keys, job)
        connection.execute(
            f"INSERT INTO known SELECT {joined}, CASE WHEN {trusted} THEN digest END, event_us, written_us,"
            f" removed FROM {manifest}"
        )
    if job.dirty:
        files = ", ".join(literal(path) for path in job.dirty)
        connection.execute(
            f"CREATE TABLE dirty AS SELECT DISTINCT {joined} FROM read_parquet([{files}], union_by_name=true)"
        )
        connection.execute(f"UPDATE known SET digest = NULL WHERE ({joined}) IN (FROM dirty)")
        connection.execute(
            f"INSERT INTO known SELECT {joined}, NULL, {_BEFORE_TIME}, 0, false"
            f" FROM dirty ANTI JOIN known USING ({joined})"
        )


def _trusted(keys: Sequence[str], job: CompareJob) -> str:
    if job.is_full or not job.trusts_digests or EVERYTHING in job.repair:
        return "false"
    conditions = []
    if job.repair:
        listed = ", ".join(str(int(partition)) for partition in job.repair)
        conditions.append(f"{_partition(keys)} NOT IN ({listed})")
    if job.touched:
        conditions.append(f"({', '.join(keys)}) NOT IN (FROM {_file(Path(job.touched))})")
    return " AND ".join(conditions) or "true"


def _make_stage(
    connection: duckdb.DuckDBPyConnection, keys: Sequence[str], job: CompareJob, *, any_rows: bool
) -> None:
    joined = ", ".join(keys)
    refresh = "false"
    if job.refresh_before_us is not None:
        refresh = f"known.written_us < {job.refresh_before_us}"
    absent = "'unchanged'" if job.keeps_absent or not any_rows else "'removed'"
    connection.execute(f"""
        CREATE TABLE stage AS
        SELECT {joined}, latest.digest AS digest, known.digest AS old_digest, known.event_us AS old_event_us,
            known.written_us AS old_written_us, known.removed AS old_removed,
            latest.__seen IS NOT NULL AS seen,
            greatest(latest.event_us, known.event_us) AS out_event_us,
            CASE
                WHEN latest.__seen IS NULL AND known.removed AND known.written_us < {job.forget_before_us}
                    THEN 'forgotten'
                WHEN latest.__seen IS NULL AND known.removed THEN 'gone'
                WHEN latest.__seen IS NULL THEN {absent}
                WHEN known.removed IS NULL OR known.removed THEN 'added'
                WHEN known.digest IS NULL OR known.digest <> latest.digest THEN 'changed'
                WHEN {refresh} THEN 'refreshed'
                ELSE 'unchanged'
            END AS change
        FROM (SELECT {joined}, digest, __event_us AS event_us, true AS __seen FROM latest) AS latest
        FULL JOIN known USING ({joined})
    """)


def _write_files(
    connection: duckdb.DuckDBPyConnection, folder: Path, keys: Sequence[str], job: CompareJob
) -> None:
    joined = ", ".join(keys)
    values = ", ".join(quote(column.name) for column in job.features)
    part = _partition(keys)
    connection.execute(f"COPY stage TO {literal(str(folder / STAGE))} (FORMAT parquet)")
    changed = "('added', 'changed', 'removed', 'refreshed')"
    connection.execute(f"""
        COPY (
            SELECT {joined}, {values}, change, old_event_us, old_written_us, old_removed,
                __event_us, __bad, __bad_text,
                CASE WHEN change IN ('removed', 'refreshed') THEN old_event_us ELSE out_event_us END
                    AS out_event_us,
                {part} AS part
            FROM (FROM stage WHERE change IN {changed}) LEFT JOIN latest USING ({joined})
            ORDER BY {_key_order(job)}
        ) TO {literal(str(folder / DELTA))} (FORMAT parquet)
    """)
    connection.execute(f"""
        CREATE TABLE sampled AS
        SELECT * FROM (FROM stage WHERE change = 'unchanged' AND seen)
        USING SAMPLE reservoir({job.sample_size} ROWS) REPEATABLE ({job.seed % 2**31})
    """)
    connection.execute(f"""
        COPY (
            SELECT {joined}, {values}, old_event_us, {part} AS part FROM sampled JOIN latest USING ({joined})
        )
        TO {literal(str(folder / SAMPLE))} (FORMAT parquet)
    """)


def _partition(keys: Sequence[str]) -> str:
    return f"CAST(hash({', '.join(keys)}) % {PARTITIONS} AS TINYINT)"


def _key_order(job: CompareJob) -> str:
    """Return nearly the order of encoded keys, in which a store that keeps them sorted writes each page once.

    In an encoded key numbers are little-endian, and texts and bytes come after their length.
    """
    by_dtype = {
        "int32": "{0} & 255, ({0} >> 8) & 255, {0}",
        "int64": "{0} & 255, ({0} >> 8) & 255, {0}",
        "string": "strlen({0}), {0}",
        "bytes": "octet_length({0}), {0}",
    }
    return ", ".join(by_dtype[column.dtype].format(quote(column.name)) for column in job.join_keys)


def _types(job: CompareJob) -> str:
    words = {"int32": "INTEGER", "int64": "BIGINT", "string": "VARCHAR", "bytes": "BLOB"}
    return ", ".join(f"{quote(column.name)} {words[column.dtype]}" for column in job.join_keys)


def _file(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row
