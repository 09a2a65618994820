"""The hostile half: run a definition's query in a locked engine, and write its typed result as Parquet."""

import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from controlplane.ingestion.engines.duckdb_types import (
    SQL_TYPES,
    Cast,
    ColumnType,
    WrongType,
    cast_column,
    instant_us,
)
from controlplane.ingestion.engines.jobs import ROWS, CompareJob, EngineFailure, SourceFiles, SourceShown
from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.sql_guard import CheckedQuery, check_query

_BATCH_ROWS = 50_000
_READERS = {"parquet": "read_parquet", "csv": "read_csv"}


def quote(name: str) -> str:
    """Return a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a quoted string."""
    return "'" + text.replace("'", "''") + "'"


def open_engine(folder: Path, job: CompareJob) -> duckdb.DuckDBPyConnection:
    """Return an engine that sees the sources and nothing else, and whose settings nobody can change."""
    limits = job.limits
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "allow_persistent_secrets": False,
            "python_enable_replacements": False,
            "threads": limits.threads,
            "memory_limit": f"{limits.memory_mb}MB",
            "temp_directory": str(folder / "spill-query"),
            "max_temp_directory_size": f"{limits.temp_mb}MB",
            "preserve_insertion_order": False,
        },
    )
    for source in job.sources:
        _make_view(connection, source)
    files = [file for source in job.sources for file in source.files]
    paths = ", ".join(literal(file) for file in files)
    connection.execute(f"SET allowed_paths=[{paths}]")
    connection.execute("SET enable_external_access=false")
    connection.execute("SET lock_configuration=true")
    return connection


def read_sources(connection: duckdb.DuckDBPyConnection, job: CompareJob) -> list[SourceShown]:
    """Return what each source shows as a whole: before the query, so that it never claims too much."""
    shown = []
    for source in job.sources:
        newest = "NULL"
        if source.event_time is not None:
            column = quote(source.event_time)
            try:
                cast = instant_us(
                    column, _columns(connection, quote(source.name), {})[source.event_time.lower()][1]
                )
            except KeyError:
                raise _absent(source.event_time, "event time", source.name) from None
            except WrongType as wrong:
                raise EngineFailure(
                    "source_schema",
                    f"source {source.name}: the event time {source.event_time} is {wrong}",
                    source=source.name,
                    column=source.event_time,
                ) from wrong
            newest = f"max({cast.value})"
        try:
            row = connection.execute(f"SELECT count(*), {newest} FROM {quote(source.name)}").fetchone()
        except duckdb.Error as wrong:
            raise _unreadable(wrong, source) from wrong
        assert row is not None
        shown.append(SourceShown(source.name, row[0], row[1]))
    return shown


def write_rows(connection: duckdb.DuckDBPyConnection, folder: Path, job: CompareJob) -> float:
    """Run the query and write its typed rows to ROWS; return the seconds it took.

    Columns: the join keys, the features, ``__event_us``, ``__order`` and, where a value would be lost,
    ``__bad`` (the column's name) and ``__bad_text`` (what was there). A join key that cannot be cast is null.
    """
    started = time.monotonic()
    query = check_query(job.query, tables=[source.name for source in job.sources])
    parameters = _parameters(query, job)
    inner = f"(SELECT * FROM (\n{query.sql}\n)) AS result"
    try:
        given = _columns(connection, inner, parameters)
        projection = _project(job, given)
        reader = connection.execute(f"SELECT {projection} FROM {inner}", parameters).to_arrow_reader(
            _BATCH_ROWS
        )
        _drain(reader, folder / ROWS)
    except (duckdb.BinderException, duckdb.CatalogException) as wrong:
        raise EngineFailure("source_schema", _first_line(wrong)) from wrong
    except duckdb.OutOfMemoryException as wrong:
        raise EngineFailure(
            "sql_limit", f"the query met its limit of memory or disk: {_first_line(wrong)}"
        ) from wrong
    except duckdb.PermissionException as wrong:
        raise EngineFailure(
            "bad_sql", f"the query reached for what is no source: {_first_line(wrong)}"
        ) from wrong
    except (duckdb.Error, pa.ArrowException) as wrong:
        raise EngineFailure("source_unreadable", f"the query failed: {_first_line(wrong)}") from wrong
    return time.monotonic() - started


def _make_view(connection: duckdb.DuckDBPyConnection, source: SourceFiles) -> None:
    paths = ", ".join(literal(file) for file in source.files)
    try:
        connection.execute(
            f"CREATE VIEW {quote(source.name)} AS SELECT * FROM {_READERS[source.kind]}([{paths}])"
        )
    except duckdb.Error as wrong:
        raise _unreadable(wrong, source) from wrong


def _drain(reader: pa.RecordBatchReader, path: Path) -> None:
    with pq.ParquetWriter(path, reader.schema, compression="lz4") as writer:
        for batch in reader:
            writer.write_batch(batch)


def _parameters(query: CheckedQuery, job: CompareJob) -> dict[str, datetime]:
    if not query.uses_as_of:
        return {}
    # Without a zone, as timestamps in files are: the engine has no time zones loaded, and all is UTC.
    as_of = datetime.fromtimestamp(job.as_of_us // 1_000_000, UTC).replace(tzinfo=None)
    return {"as_of": as_of.replace(microsecond=job.as_of_us % 1_000_000)}


def _columns(
    connection: duckdb.DuckDBPyConnection, relation: str, parameters: dict[str, datetime]
) -> dict[str, tuple[str, ColumnType]]:
    """Return name and type of each column by its name in lower case."""
    cursor = connection.execute(f"SELECT * FROM {relation} LIMIT 0", parameters)
    return {entry[0].lower(): (entry[0], _column_type(entry[1])) for entry in cursor.description or []}


def _column_type(given: object) -> ColumnType:
    word = str(getattr(given, "id", given)).lower()
    if word not in ("list", "array"):
        return ColumnType(word)
    children = dict(given.children)  # type: ignore[attr-defined]
    return ColumnType(word, _column_type(children["child"]))


def _project(job: CompareJob, given: dict[str, tuple[str, ColumnType]]) -> str:
    parts: list[str] = []
    losses: list[tuple[str, Cast, str]] = []
    for column in job.join_keys:
        cast = _cast(column.name, Dtype(column.dtype), given)
        kept = f"CASE WHEN {cast.loses} THEN NULL ELSE {cast.value} END" if cast.loses else cast.value
        parts.append(f"{kept} AS {quote(column.name)}")
    for column in job.features:
        cast = _cast(column.name, Dtype(column.dtype), given)
        if cast.loses:
            losses.append((column.name, cast, quote(given[column.name.lower()][0])))
        kept = f"CASE WHEN {cast.loses} THEN NULL ELSE {cast.value} END" if cast.loses else cast.value
        parts.append(f"{kept} AS {quote(column.name)}")
    parts.append(f"{_event_time(job, given, losses)} AS __event_us")
    parts.append(f"{_order(job, given)} AS __order")
    parts.append(f"{_first_loss(losses, literal_names=True)} AS __bad")
    parts.append(f"{_first_loss(losses, literal_names=False)} AS __bad_text")
    return ", ".join(parts)


def _cast(name: str, wanted: Dtype, given: dict[str, tuple[str, ColumnType]]) -> Cast:
    if name not in given:
        raise _absent(name, "column")
    real_name, column_type = given[name]
    try:
        return cast_column(quote(real_name), column_type, wanted)
    except WrongType as wrong:
        raise EngineFailure(
            "source_schema", f"column {name} of the query's result: {wrong}", column=name
        ) from wrong


def _event_time(
    job: CompareJob, given: dict[str, tuple[str, ColumnType]], losses: list[tuple[str, Cast, str]]
) -> str:
    if job.event_time is None:
        return f"CAST({job.default_event_us} AS {SQL_TYPES[Dtype.INT64]})"
    if job.event_time.lower() not in given:
        raise _absent(job.event_time, "event-time column")
    real_name, column_type = given[job.event_time.lower()]
    try:
        cast = instant_us(quote(real_name), column_type)
    except WrongType as wrong:
        raise EngineFailure(
            "source_schema", f"event-time column {job.event_time}: {wrong}", column=job.event_time
        ) from wrong
    loses = f"(({cast.value}) IS NULL)"
    losses.append((job.event_time, Cast(cast.value, loses), quote(real_name)))
    return cast.value


def _order(job: CompareJob, given: dict[str, tuple[str, ColumnType]]) -> str:
    if job.order_by is None:
        return "NULL::INTEGER"
    if job.order_by.lower() not in given:
        raise _absent(job.order_by, "order_by column")
    return quote(given[job.order_by.lower()][0])


def _first_loss(losses: list[tuple[str, Cast, str]], *, literal_names: bool) -> str:
    if not losses:
        return "NULL::VARCHAR"
    cases = " ".join(
        f"WHEN {cast.loses} THEN {literal(name) if literal_names else f'CAST({column} AS VARCHAR)'}"
        for name, cast, column in losses
    )
    return f"CASE {cases} END"


def _absent(name: str, what: str, source: str | None = None) -> EngineFailure:
    where = f"source {source}" if source else "the query's result"
    return EngineFailure("source_schema", f"{where} has no {what} {name!r}", source=source, column=name)


def _unreadable(wrong: duckdb.Error, source: SourceFiles) -> EngineFailure:
    return EngineFailure(
        "source_unreadable", f"source {source.name} cannot be read: {_first_line(wrong)}", source=source.name
    )


def _first_line(wrong: Exception) -> str:
    return (str(wrong).strip().splitlines() or ["no reason given"])[0][:400]
