"""Connections to the store's SQLite file: one for each thread, none carried over a fork."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from store_adapters.protocol import unavailable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fl_rows(project TEXT NOT NULL, entity_key BLOB NOT NULL, view TEXT NOT NULL,
  row BLOB NOT NULL, expires_us INTEGER, PRIMARY KEY(project, entity_key, view)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fl_rows_expiry ON fl_rows(expires_us) WHERE expires_us IS NOT NULL;
CREATE TABLE IF NOT EXISTS fl_watermarks(project TEXT NOT NULL, field TEXT NOT NULL,
  generation INTEGER NOT NULL, us INTEGER NOT NULL, PRIMARY KEY(project, field)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fl_layouts(project TEXT NOT NULL, field TEXT NOT NULL, layout TEXT NOT NULL,
  PRIMARY KEY(project, field)) WITHOUT ROWID;
"""
_OBJECTS = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'fl\\_%' ESCAPE '\\'"
_ATTEMPTS = 100


class _Connection(sqlite3.Connection):
    """Knows the process that opened it."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as sqlite3.connect passes them
        self.process = os.getpid()


class Connections:
    """Opens a connection when a thread first needs one. SQLite waits at most the timeout for a lock."""

    def __init__(self, path: Path, *, address: str, timeout_seconds: float) -> None:
        self._path = path
        self._address = address
        self._timeout_seconds = timeout_seconds
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: WeakSet[_Connection] = WeakSet()
        # A connection must be neither used nor closed after a fork: the child keeps its copy untouched.
        self._inherited: list[_Connection] = []

    @contextmanager
    def use(self, attempt: str) -> Iterator[sqlite3.Connection]:
        """Give this thread's connection; turn what SQLite raises into ``Unavailable``."""
        try:
            yield self._current()
        except (sqlite3.Error, OSError) as error:
            raise unavailable(self._address, attempt, error) from error

    @contextmanager
    def transact(self, attempt: str) -> Iterator[sqlite3.Connection]:
        """As ``use``, with the write lock from the start: what is read stays true until the commit."""
        with self.use(attempt) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite itself rolls back after some errors
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connections of every thread of this process."""
        with self._lock:
            for connection in [c for c in self._open if c.process == os.getpid()]:
                self._open.discard(connection)
                connection.close()
            self._local = threading.local()

    def _current(self) -> _Connection:
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is not None and connection.process != os.getpid():
            self._inherited.append(connection)
            connection = None
        if connection is None:
            connection = self._local.connection = self._connect()
        return connection

    def _connect(self) -> _Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path,
            timeout=self._timeout_seconds,
            isolation_level=None,
            check_same_thread=False,  # so that close() may close those of other threads
            factory=_Connection,
        )
        connection.execute("PRAGMA synchronous = FULL")  # acknowledged means on disk
        if connection.execute(_OBJECTS).fetchone() != (4,):
            _switch_to_wal(connection)
            connection.executescript("BEGIN IMMEDIATE;" + _SCHEMA + "COMMIT;")
        with self._lock:
            self._open.add(connection)
        return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Put a new file into WAL mode. SQLite does not wait for locks there: two at once would fail."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if attempt == _ATTEMPTS:
                raise
            connection.execute("BEGIN IMMEDIATE")  # this does wait until the other one is through
            connection.execute("COMMIT")
        else:
            return
