"""The embedded store: one SQLite file, in WAL mode so that lookups read while ingestion writes."""

from collections.abc import Sequence
from pathlib import Path

from controlplane.kernel import clock
from controlplane.kernel.errors import Conflict
from store_adapters.layout_json import dump_columns, load_columns
from store_adapters.model import Lane, Layout, RowWrite, Watermark, WriteResult
from store_adapters.protocol import Description, unavailable
from store_adapters.sqlite_connections import Connections
from store_adapters.writing import SHORTEST_ROW, decide, expiry_after

# Rows of one transaction: enough to share the fsync, few enough that other writers soon get their turn.
_CHUNK = 1_000

_STORED = "SELECT row, expires_us FROM fl_rows WHERE project = ? AND entity_key = ? AND view = ?"
# An order key is 16 bytes and a row is longer, so a row of equal order key is greater: it stays.
_PUT = f"""
INSERT INTO fl_rows (project, entity_key, view, row, expires_us)
VALUES (:project, :key, :view, :row, :expires_us)
ON CONFLICT (project, entity_key, view) DO UPDATE SET row = excluded.row, expires_us = excluded.expires_us
WHERE fl_rows.row < substr(excluded.row, 1, 16) OR length(fl_rows.row) < {SHORTEST_ROW}
"""  # noqa: S608 - a constant of ours
_KEEP = "UPDATE fl_rows SET expires_us = ? WHERE project = ? AND entity_key = ? AND view = ?"
_READ = "SELECT row FROM fl_rows WHERE project = ? AND entity_key = ? AND view = ?"
_DELETE = "DELETE FROM fl_rows WHERE project = ? AND entity_key = ? AND view = ?"
# By key, a bounded number at a time: one statement over a large view would hold the write lock too long.
_PURGE = """
DELETE FROM fl_rows WHERE (project, entity_key, view) IN
(SELECT project, entity_key, view FROM fl_rows WHERE project = ? AND view = ? LIMIT ?)
"""
_SAMPLE = """
SELECT entity_key FROM fl_rows WHERE project = ? AND view = ? AND entity_key > ? ORDER BY entity_key LIMIT ?
"""
_SWEEP = """
DELETE FROM fl_rows WHERE (project, entity_key, view) IN
(SELECT project, entity_key, view FROM fl_rows WHERE expires_us <= ? LIMIT ?)
"""
_MOVE = """
INSERT INTO fl_watermarks (project, field, generation, us) VALUES (?, ?, ?, ?)
ON CONFLICT (project, field) DO UPDATE SET generation = excluded.generation, us = excluded.us
WHERE (excluded.generation, excluded.us) > (fl_watermarks.generation, fl_watermarks.us)
"""


class SqliteStore:
    """A ``Store`` in the file ``path``, which is made on first use. Acknowledged rows survive a power cut."""

    hides_keys = ""

    def __init__(self, path: Path, *, timeout_seconds: float = 5.0) -> None:
        self.address = f"sqlite://{path}"
        self._connections = Connections(path, address=self.address, timeout_seconds=timeout_seconds)

    def describe(self) -> Description:
        with self._connections.use("describe itself") as connection:
            (version,) = connection.execute("SELECT sqlite_version()").fetchone()
        return Description("sqlite", self.address, version)

    def ping(self) -> None:
        with self._connections.use("answer a ping") as connection:
            connection.execute("SELECT count(*) FROM fl_watermarks").fetchone()

    def clock_us(self) -> int:
        return clock.now_us()

    def write_rows(
        self, project: str, view: str, writes: Sequence[RowWrite], *, run_number: int
    ) -> list[WriteResult]:
        results: list[WriteResult] = []
        for start in range(0, len(writes), _CHUNK):
            results += self._write_chunk(project, view, writes[start : start + _CHUNK], run_number)
        return results

    def read_rows(
        self, project: str, view: str, keys: Sequence[bytes], *, layout: Layout | None = None
    ) -> list[bytes | None]:
        with self._connections.use(f"read rows of {project}/{view}") as connection:
            found = [connection.execute(_READ, (project, key, view)).fetchone() for key in keys]
        return [None if row is None else row[0] for row in found]

    def delete_rows(self, project: str, view: str, keys: Sequence[bytes]) -> int:
        with self._connections.transact(f"delete rows of {project}/{view}") as connection:
            return sum(connection.execute(_DELETE, (project, key, view)).rowcount for key in keys)

    def purge_view(self, project: str, view: str) -> int:
        purged = 0
        while True:
            with self._connections.transact(f"purge the rows of {project}/{view}") as connection:
                gone = connection.execute(_PURGE, (project, view, _CHUNK)).rowcount
            purged += gone
            if gone < _CHUNK:
                return purged

    def sample_keys(self, project: str, view: str, *, limit: int, after: bytes = b"") -> list[bytes]:
        with self._connections.use(f"sample keys of {project}/{view}") as connection:
            return [key for (key,) in connection.execute(_SAMPLE, (project, view, after, limit))]

    def write_watermark(self, project: str, view: str, lane: Lane, watermark: Watermark) -> bool:
        with self._connections.transact(f"move the watermark of {project}/{view}/{lane}") as connection:
            moved = connection.execute(
                _MOVE, (project, f"{view}/{lane}", watermark.generation, watermark.us)
            ).rowcount
        return moved == 1

    def read_watermarks(self, project: str) -> dict[tuple[str, Lane], Watermark]:
        with self._connections.use(f"read the watermarks of {project}") as connection:
            rows = connection.execute(
                "SELECT field, generation, us FROM fl_watermarks WHERE project = ?", (project,)
            ).fetchall()
        found = {}
        for field, generation, us in rows:
            view, _, lane = field.rpartition("/")
            try:
                found[view, Lane(lane)] = Watermark(generation, us)
            except ValueError:
                continue  # a watermark we cannot read proves nothing; the rows' own times remain
        return found

    def write_layout(self, project: str, view: str, layout: Layout) -> None:
        what = f"{project}/{view}/{layout.number}"
        columns = dump_columns(layout)
        with self._connections.transact(f"write the layout of {what}") as connection:
            row = (project, f"{view}/{layout.number}", columns)
            connection.execute(
                "INSERT INTO fl_layouts (project, field, layout) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row
            )
            (stored,) = connection.execute(
                "SELECT layout FROM fl_layouts WHERE project = ? AND field = ?", row[:2]
            ).fetchone()
        if stored != columns:
            raise Conflict("conflict", f"layout {what} is already stored with other columns: {stored}")

    def read_layout(self, project: str, view: str, number: int) -> Layout | None:
        what = f"{project}/{view}/{number}"
        with self._connections.use(f"read the layout of {what}") as connection:
            found = connection.execute(
                "SELECT layout FROM fl_layouts WHERE project = ? AND field = ?", (project, f"{view}/{number}")
            ).fetchone()
        if found is None:
            return None
        try:
            return load_columns(number, found[0])
        except ValueError as error:
            raise unavailable(self.address, f"read the layout of {what}", error) from error

    def sweep_expired(self, *, now_us: int, limit: int) -> int:
        with self._connections.transact("sweep the expired rows of every view") as connection:
            return connection.execute(_SWEEP, (now_us, limit)).rowcount

    def close(self) -> None:
        self._connections.close()

    def _write_chunk(
        self, project: str, view: str, writes: Sequence[RowWrite], run_number: int
    ) -> list[WriteResult]:
        results: list[WriteResult] = []
        with self._connections.transact(f"write rows of {project}/{view}") as connection:
            for write in writes:
                where = (project, write.key, view)
                stored, stored_us = connection.execute(_STORED, where).fetchone() or (None, None)
                decision = decide(stored, write.row, run_number=run_number)
                expires_us = expiry_after(decision, stored_us, write.expire_at_us)
                if decision.puts:
                    connection.execute(
                        _PUT,
                        {
                            "project": project,
                            "key": write.key,
                            "view": view,
                            "row": write.row,
                            "expires_us": expires_us,
                        },
                    )
                elif decision.keeps and expires_us != stored_us:
                    connection.execute(_KEEP, (expires_us, *where))
                results.append(decision.result)
        return results
