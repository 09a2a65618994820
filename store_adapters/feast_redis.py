"""Feast's hashes on Redis, read in place: a hash per entity key and project, a field per feature of any view.

Key: the entity key, then the project's name. Fields: ``_ts:<view>`` the event time of the view's row, and for
each feature four bytes of hash. Nothing is ever written: Feast owns the store.
"""

from collections.abc import Iterator, Sequence
from heapq import nsmallest
from typing import cast

from redis import Redis

from controlplane.kernel import names
from store_adapters.errors import CorruptKey, CorruptValue
from store_adapters.feast_rows import DAMAGED
from store_adapters.feast_store import FeastStore, layout_of
from store_adapters.feast_values import decode_time, field_of
from store_adapters.keys import decode_key
from store_adapters.model import Layout
from store_adapters.protocol import Description
from store_adapters.redis_clients import Clients, Command, Told, Word, replies
from store_adapters.redis_describe import describe

_PAGE = 500
# Records that one sample looks at, at least; beyond, ten for each that is wanted.
_LOOKS = 20_000


class FeastRedisStore(FeastStore):
    """A ``Store`` that reads what Feast wrote, and refuses to write (``store_read_only``)."""

    def __init__(self, clients: Clients, *, kind: str, address: str) -> None:
        super().__init__(address)
        self._clients = clients
        self._kind = kind

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

    def read_rows(
        self, project: str, view: str, keys: Sequence[bytes], *, layout: Layout | None = None
    ) -> list[bytes | None]:
        layout = layout_of(layout, project, view)
        suffix = names.check(project, what="project").encode()
        fields: list[Word] = [_time_field(view), *(field_of(view, column.name) for column in layout.columns)]
        commands = [Command(key + suffix, ("HMGET", key + suffix, *fields)) for key in keys]
        with Told(self.address, f"read rows of {project}/{view}"):
            found = cast(list[list[bytes | None]], replies(self._clients, commands))
        return [self._pack(layout, fields) for fields in found]

    def sample_keys(self, project: str, view: str, *, limit: int, after: bytes = b"") -> list[bytes]:
        suffix = names.check(project, what="project").encode()
        field = _time_field(view)
        found: set[bytes] = set()
        with Told(self.address, f"sample keys of {project}/{view}"):
            nodes = self._clients.primaries()
            for node in nodes:
                left = max(_LOOKS, 10 * limit) // len(nodes)
                for keys in _pages(node, suffix):
                    wanted = [key for key in keys if _is_beyond(key[: -len(suffix)], after)]
                    has = replies(self._clients, [Command(key, ("HEXISTS", key, field)) for key in wanted])
                    found.update(key[: -len(suffix)] for key, yes in zip(wanted, has, strict=True) if yes)
                    left -= _PAGE
                    if left <= 0:
                        break
        return nsmallest(limit, found)

    def close(self) -> None:
        self._clients.close()

    def _pack(self, layout: Layout, found: Sequence[bytes | None]) -> bytes | None:
        """Return the row of a time and of the layout's values; None where nothing is stored at all."""
        time, *fields = found
        stored = {
            column.name: field
            for column, field in zip(layout.columns, fields, strict=True)
            if field is not None
        }
        if time is None:
            return DAMAGED if stored else None
        try:
            event_time_us = decode_time(time)
        except CorruptValue:
            return DAMAGED
        return self.packer.pack(layout, event_time_us, stored)


def _time_field(view: str) -> bytes:
    return f"_ts:{view}".encode()


def _is_beyond(key: bytes, after: bytes) -> bool:
    """Return whether it is an entity key, and comes after ``after``.

    It is none in the record of a project whose name ends like ours: the beginning of that name is left over.
    """
    if key <= after:
        return False
    try:
        decode_key(key)
    except CorruptKey:
        return False
    return True


def _pages(node: Redis, suffix: bytes) -> Iterator[list[bytes]]:
    cursor = 0
    while True:
        # Names of projects hold no character that means anything in a pattern.
        cursor, keys = cast(
            tuple[int, list[bytes]], node.scan(cursor, match=b"*" + suffix, count=_PAGE, _type="HASH")
        )
        yield keys
        if cursor == 0:
            return
