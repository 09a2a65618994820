"""What must look at many records: purging a view, sampling its keys, sweeping what has expired."""

from collections.abc import Iterator, Sequence
from heapq import nsmallest
from typing import cast

from redis import Redis

from store_adapters.redis_clients import Clients, Command, replies, run_script
from store_adapters.redis_scripts import SWEEP

_PAGE = 500
# Records that one sample or one sweep looks at, at least; beyond, ten for each that is wanted.
_LOOKS = 20_000
_CURSORS = b"fl-sweep"


def purge(clients: Clients, prefix: bytes, view: str) -> int:
    """Drop the view's field of every record."""
    purged = 0
    for node in clients.primaries():
        for keys in _pages(node, prefix):
            commands = [Command(key, ("HDEL", key, view, f"!{view}")) for key in keys]
            purged += sum(1 for reply in replies(clients, commands) if reply)
    return purged


def sample(clients: Clients, prefix: bytes, view: str, *, limit: int, after: bytes) -> list[bytes]:
    """Return the least keys beyond ``after`` among a bounded number of records."""
    found: set[bytes] = set()
    looks = max(_LOOKS, 10 * limit)
    nodes = clients.primaries()
    for node in nodes:
        left = looks // len(nodes)
        for keys in _pages(node, prefix):
            wanted = [key for key in keys if key[len(prefix) :] > after]
            has = replies(clients, [Command(key, ("HEXISTS", key, view)) for key in wanted])
            found.update(key[len(prefix) :] for key, yes in zip(wanted, has, strict=True) if yes)
            left -= _PAGE
            if left <= 0:
                break
    return nsmallest(limit, found)


def sweep(clients: Clients, *, now_ms: int, limit: int) -> int:
    """Drop expired rows of any project, going on where the last sweep (of any process) stopped."""
    swept = 0
    looks = max(_LOOKS, 10 * limit)
    for node in clients.primaries():
        field = _node_name(node)
        (stored,) = replies(clients, [Command(_CURSORS, ("HGET", _CURSORS, field))])
        cursor = int(cast(bytes, stored)) if stored else 0
        while True:
            cursor, keys = _page(node, cursor, b"fl:*")
            swept += _sweep_keys(clients, keys, now_ms)
            looks -= _PAGE
            if cursor == 0 or swept >= limit or looks <= 0:
                break
        replies(clients, [Command(_CURSORS, ("HSET", _CURSORS, field, cursor))])
        if swept >= limit or looks <= 0:
            break
    return swept


def _sweep_keys(clients: Clients, keys: Sequence[bytes], now_ms: int) -> int:
    size = clients.keys_per_script
    calls = [(keys[start : start + size], (now_ms,)) for start in range(0, len(keys), size)]
    return sum(sum(counts) for counts in cast(list[list[int]], run_script(clients, SWEEP, calls)))


def _pages(node: Redis, prefix: bytes) -> Iterator[list[bytes]]:
    cursor, keys = _page(node, 0, prefix + b"*")
    while True:
        yield keys
        if cursor == 0:
            return
        cursor, keys = _page(node, cursor, prefix + b"*")


def _page(node: Redis, cursor: int, match: bytes) -> tuple[int, list[bytes]]:
    """Hashes only: another application's key of the same prefix must not stop a sweep."""
    return cast(tuple[int, list[bytes]], node.scan(cursor, match=match, count=_PAGE, _type="HASH"))


def _node_name(node: Redis) -> str:
    options = node.connection_pool.connection_kwargs
    return f"{options.get('host')}:{options.get('port')}"
