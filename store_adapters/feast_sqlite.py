"""Feast's tables in a SQLite file, read in place: a table per project and view, a row per entity and feature.

Table ``<project>_<view>``: ``entity_key``, ``feature_name``, ``value``, ``event_ts`` (whole seconds; an older
Feast wrote text). The file is opened to read only, for each call anew: Feast may replace it.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from controlplane.kernel import clock, names
from store_adapters.errors import CorruptValue
from store_adapters.feast_rows import DAMAGED
from store_adapters.feast_store import FeastStore, layout_of
from store_adapters.feast_values import parse_time, seconds_to_us
from store_adapters.model import Layout
from store_adapters.protocol import Description, unavailable

_TABLE = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"


class FeastSqliteStore(FeastStore):
    """A ``Store`` that reads what Feast wrote. A file or table that is not there yet has no rows."""

    def __init__(self, path: Path, *, timeout_seconds: float) -> None:
        super().__init__(f"feast+sqlite://{path}")
        self._path = path
        self._timeout_seconds = timeout_seconds

    def describe(self) -> Description:
        with self._open("describe itself") as connection:
            warnings = () if connection else ("Feast has not made the file yet",)
        return Description("feast-sqlite", self.address, sqlite3.sqlite_version, warnings=warnings)

    def ping(self) -> None:
        with self._open("answer a ping") as connection:
            if connection:
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    def clock_us(self) -> int:
        return clock.now_us()

    def read_rows(
        self, project: str, view: str, keys: Sequence[bytes], *, layout: Layout | None = None
    ) -> list[bytes | None]:
        layout = layout_of(layout, project, view)
        table = _table_of(project, view)
        with self._open(f"read rows of {project}/{view}") as connection:
            if connection is None or not _has(connection, table):
                return [None] * len(keys)
            query = f"SELECT feature_name, value, event_ts FROM {_quoted(table)} WHERE entity_key = ?"  # noqa: S608 - quoted
            found = [connection.execute(query, (key,)).fetchall() for key in keys]
        return [self._pack(layout, rows) for rows in found]

    def sample_keys(self, project: str, view: str, *, limit: int, after: bytes = b"") -> list[bytes]:
        table = _table_of(project, view)
        with self._open(f"sample keys of {project}/{view}") as connection:
            if connection is None or not _has(connection, table):
                return []
            query = (
                f"SELECT DISTINCT entity_key FROM {_quoted(table)} WHERE entity_key > ? ORDER BY 1 LIMIT ?"  # noqa: S608 - quoted
            )
            return [key for (key,) in connection.execute(query, (after, limit))]

    def close(self) -> None:
        """Nothing is kept open."""

    def _pack(self, layout: Layout, rows: Sequence[tuple[str, object, object]]) -> bytes | None:
        wanted = {column.name for column in layout.columns}
        # Feast leaves the rows of features that a view has no more.
        stored = {feature: (value, at) for feature, value, at in rows if feature in wanted}
        if not stored:
            return None
        values = {feature: value for feature, (value, _) in stored.items() if isinstance(value, bytes)}
        if len(values) < len(stored):
            return DAMAGED
        try:  # as old as the oldest of its values: nothing is called younger than it is
            event_time_us = min(_event_time(at) for _, at in stored.values())
        except CorruptValue:
            return DAMAGED
        return self.packer.pack(layout, event_time_us, values)

    @contextmanager
    def _open(self, attempt: str) -> Iterator[sqlite3.Connection | None]:
        """Give a connection, or None while there is no file."""
        try:
            if not _is_there(self._path):
                yield None
                return
            with closing(
                sqlite3.connect(
                    f"file:{quote(str(self._path))}?mode=ro", uri=True, timeout=self._timeout_seconds
                )
            ) as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise unavailable(self.address, attempt, error) from error


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True  # any other trouble is raised: a folder that may not be read is not "no file yet"


def _table_of(project: str, view: str) -> str:
    return f"{names.check(project, what='project')}_{view}"


def _quoted(table: str) -> str:
    return '"' + table.replace('"', '""') + '"'


def _has(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute(_TABLE, (table,)).fetchone() is not None


def _event_time(at: object) -> int:
    if isinstance(at, int):
        return seconds_to_us(at)
    if isinstance(at, str):
        return parse_time(at)
    raise CorruptValue("an event time is neither a number of seconds nor a text")
