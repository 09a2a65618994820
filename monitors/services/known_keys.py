"""Which keys a probe reads: the next ones of a walk through the whole view, and some that were there before.

The walk sees every key in time, hot or cold; where a store cannot list its keys, it is one over those at
which sampled lookups found a row, as far as serving may tell them. What it cannot see is a key that is gone:
so a few keys are remembered, and asked for again, unless the view may rightly drop them (``expire_after``) or
deleted them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from controlplane.contracts.verdicts import Fetched, StoredRow
from controlplane.observations.selectors import looked_up_keys
from controlplane.registry.selectors import ViewRecord
from monitors.models import ViewWatch
from store_adapters import Store

WALKED = 150
REMEMBERED = 100


@dataclass(frozen=True, slots=True)
class Memory:
    """What one probe leaves for the next."""

    cursor: bytes
    keys: tuple[bytes, ...]


def memory_of(watch: ViewWatch) -> Memory:
    """Return what the last probe left."""
    return Memory(bytes(watch.probe_cursor), tuple(bytes.fromhex(key) for key in watch.remembered_keys))


def known_keys(record: ViewRecord, store: Store, memory: Memory) -> tuple[list[bytes], bytes]:
    """Return the keys to read, each once, and where the walk goes on (empty: from the beginning)."""
    if store.hides_keys:
        found = looked_up_keys(record.project, record.name, limit=WALKED)
        return list(dict.fromkeys([*found, *memory.keys])), b""
    walked = store.sample_keys(record.project, record.name, limit=WALKED, after=memory.cursor)
    if len(walked) < WALKED and memory.cursor:
        walked += store.sample_keys(record.project, record.name, limit=WALKED - len(walked))
        cursor = b""
    else:
        cursor = walked[-1] if len(walked) == WALKED else b""
    return list(dict.fromkeys([*walked, *memory.keys])), cursor


def remember(record: ViewRecord, keys: Sequence[bytes], fetched: Sequence[Fetched], cursor: bytes) -> Memory:
    """Return what the next probe is to know, given what was found at ``keys``."""
    if record.view.expire_after is not None:
        return Memory(cursor, ())
    expected = [
        key
        for key, row in zip(keys, fetched, strict=True)
        if not (isinstance(row, StoredRow) and row.tombstone)
    ]
    # Evenly from all of them; those that are missing stay remembered, else they would be missing only once.
    missing = [key for key, row in zip(keys, fetched, strict=True) if row is None]
    stride = max(1, len(expected) // REMEMBERED)
    kept = dict.fromkeys([*missing, *expected[::stride]])
    return Memory(cursor, tuple(kept)[:REMEMBERED])
