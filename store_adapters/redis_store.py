"""The production store: a hash per entity, a field per view, on one Redis (or Valkey) or on a Redis Cluster.

Keys: ``fl:<project>:<key bytes>`` a record; ``fl-wm:<project>`` watermarks; ``fl-layout:<project>`` layouts;
``fl-sweep`` how far the sweeper has come. Fields of a record: ``<view>`` the row, ``!<view>`` when that row
expires, in milliseconds (no view's name starts so). Needs Redis 7.0 for PEXPIREAT ... GT.
"""

from collections.abc import Sequence
from typing import cast

from controlplane.kernel import names
from controlplane.kernel.errors import Conflict
from store_adapters.layout_json import dump_columns, load_columns
from store_adapters.model import Lane, Layout, RowWrite, Watermark, WriteResult
from store_adapters.protocol import Description, unavailable
from store_adapters.redis_clients import Clients, Command, Told, Word, replies, run_script
from store_adapters.redis_describe import describe
from store_adapters.redis_scans import purge, sample, sweep
from store_adapters.redis_scripts import RESULTS, WATERMARK, WRITE
from store_adapters.row_header import ORDER_KEY_SIZE


def record_prefix(project: str) -> bytes:
    """Return what precedes the key bytes; no braces, so that a cluster spreads the records."""
    return f"fl:{names.check(project, what='project')}:".encode()


class RedisStore:
    """A ``Store`` on Redis. Reads and writes go to primaries only."""

    hides_keys = ""

    def __init__(self, clients: Clients, *, kind: str, address: str) -> None:
        self._clients = clients
        self._kind = kind
        self.address = address

    def describe(self) -> Description:
        with Told(self.address, "describe itself"):
            return describe(self._clients.primaries(), kind=self._kind, address=self.address)

    def ping(self) -> None:
        with Told(self.address, "answer a ping"):
            for node in self._clients.primaries():
                node.ping()

    def clock_us(self) -> int:
        with Told(self.address, "read the clock"):
            seconds, microseconds = self._clients.primaries()[0].time()
        return seconds * 1_000_000 + microseconds

    def write_rows(
        self, project: str, view: str, writes: Sequence[RowWrite], *, run_number: int
    ) -> list[WriteResult]:
        prefix = record_prefix(project)
        fixed: tuple[Word, ...] = (view, f"!{view}", run_number.to_bytes(8, "little"))
        calls: list[tuple[list[bytes], list[Word]]] = []
        for start in range(0, len(writes), self._clients.keys_per_script):
            some = writes[start : start + self._clients.keys_per_script]
            arguments = list(fixed)
            for write in some:
                assert len(write.row) > ORDER_KEY_SIZE
                arguments += (write.row, _milliseconds(write.expire_at_us))
            calls.append(([prefix + write.key for write in some], arguments))
        with Told(self.address, f"write rows of {project}/{view}"):
            found = cast(list[list[int]], run_script(self._clients, WRITE, calls))
        return [RESULTS[code] for codes in found for code in codes]

    def read_rows(
        self, project: str, view: str, keys: Sequence[bytes], *, layout: Layout | None = None
    ) -> list[bytes | None]:
        prefix = record_prefix(project)
        commands = [Command(prefix + key, ("HGET", prefix + key, view)) for key in keys]
        with Told(self.address, f"read rows of {project}/{view}"):
            return cast(list[bytes | None], replies(self._clients, commands))

    def delete_rows(self, project: str, view: str, keys: Sequence[bytes]) -> int:
        prefix = record_prefix(project)
        # Both fields in one command: between two, a writer could lose the expiry of its new row.
        commands = [Command(prefix + key, ("HDEL", prefix + key, view, f"!{view}")) for key in keys]
        with Told(self.address, f"delete rows of {project}/{view}"):
            return sum(1 for reply in replies(self._clients, commands) if reply)

    def purge_view(self, project: str, view: str) -> int:
        with Told(self.address, f"purge the rows of {project}/{view}"):
            return purge(self._clients, record_prefix(project), view)

    def sample_keys(self, project: str, view: str, *, limit: int, after: bytes = b"") -> list[bytes]:
        with Told(self.address, f"sample keys of {project}/{view}"):
            return sample(self._clients, record_prefix(project), view, limit=limit, after=after)

    def write_watermark(self, project: str, view: str, lane: Lane, watermark: Watermark) -> bool:
        key = f"fl-wm:{names.check(project, what='project')}".encode()
        arguments: tuple[Word, ...] = (f"{view}/{lane}", watermark.generation, watermark.us)
        with Told(self.address, f"move the watermark of {project}/{view}/{lane}"):
            (moved,) = run_script(self._clients, WATERMARK, [([key], arguments)])
        return moved == 1

    def read_watermarks(self, project: str) -> dict[tuple[str, Lane], Watermark]:
        key = f"fl-wm:{names.check(project, what='project')}".encode()
        with Told(self.address, f"read the watermarks of {project}"):
            (reply,) = replies(self._clients, [Command(key, ("HGETALL", key))])
        fields = cast(dict[bytes, bytes], reply)
        found: dict[tuple[str, Lane], Watermark] = {}
        for field, value in fields.items():
            view, _, lane = field.decode(errors="replace").rpartition("/")
            generation, _, us = value.partition(b":")
            try:
                found[view, Lane(lane)] = Watermark(int(generation), int(us))
            except ValueError:
                continue  # a watermark we cannot read proves nothing; the rows' own times remain
        return found

    def write_layout(self, project: str, view: str, layout: Layout) -> None:
        key = f"fl-layout:{names.check(project, what='project')}".encode()
        what = f"{project}/{view}/{layout.number}"
        field = f"{view}/{layout.number}"
        columns = dump_columns(layout).encode()
        with Told(self.address, f"write the layout of {what}"):
            _, stored = replies(
                self._clients,
                [Command(key, ("HSETNX", key, field, columns)), Command(key, ("HGET", key, field))],
            )
        if stored != columns:
            raise Conflict("conflict", f"layout {what} is already stored with other columns: {stored!r}")

    def read_layout(self, project: str, view: str, number: int) -> Layout | None:
        key = f"fl-layout:{names.check(project, what='project')}".encode()
        what = f"{project}/{view}/{number}"
        with Told(self.address, f"read the layout of {what}"):
            (stored,) = replies(self._clients, [Command(key, ("HGET", key, f"{view}/{number}"))])
        if stored is None:
            return None
        try:
            return load_columns(number, cast(bytes, stored))
        except ValueError as error:
            raise unavailable(self.address, f"read the layout of {what}", error) from error

    def sweep_expired(self, *, now_us: int, limit: int) -> int:
        with Told(self.address, "sweep the expired rows of every view"):
            return sweep(self._clients, now_ms=now_us // 1000, limit=limit)

    def close(self) -> None:
        self._clients.close()


def _milliseconds(us: int | None) -> str:
    """Return microseconds as Redis takes them, rounded up: never shorter than asked."""
    return "" if us is None else str(-(-us // 1000))
