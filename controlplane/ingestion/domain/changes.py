"""Which keys a batch run writes, and with what event time (ingestion.md: change detection, corrections).

The engine does the same in SQL over millions of keys; tests hold it to these functions.
"""

from dataclasses import dataclass
from enum import StrEnum

from controlplane.contracts.model import Absent


class Change(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    REFRESHED = "refreshed"  # same values, but the stored row would expire: written again as it is
    UNCHANGED = "unchanged"
    GONE = "gone"  # removed by an earlier run; its entry waits for the tombstone to expire
    FORGOTTEN = "forgotten"  # gone, and the tombstone has expired


@dataclass(frozen=True, slots=True)
class Entry:
    """What the manifest knows of a key. ``digest`` None: rewrite it, whatever the source says."""

    digest: int | None
    event_us: int
    written_us: int
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What the query gave for a key."""

    digest: int
    event_us: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the run matters for one key. Times before which entries are old; None: never."""

    absent: Absent = Absent.REMOVE
    full: bool = False
    any_rows: bool = True
    refresh_before_us: int | None = None
    forget_before_us: int = 0


def classify(seen: Seen | None, entry: Entry | None, *, touched: bool, rules: Rules) -> Change | None:
    """Return what the run does with a key; None when neither the source nor the manifest knows it.

    ``touched``: another lane wrote the key, or our last write of it lost.
    """
    if seen is None:
        return _classify_absent(entry, touched=touched, rules=rules)
    if entry is None or entry.removed:
        return Change.ADDED
    if rules.full or touched or entry.digest is None or entry.digest != seen.digest:
        return Change.CHANGED
    if rules.refresh_before_us is not None and entry.written_us < rules.refresh_before_us:
        return Change.REFRESHED
    return Change.UNCHANGED


def _classify_absent(entry: Entry | None, *, touched: bool, rules: Rules) -> Change | None:
    if entry is None:
        return None
    if entry.removed:
        return Change.FORGOTTEN if entry.written_us < rules.forget_before_us else Change.GONE
    if rules.absent is Absent.KEEP or not rules.any_rows:
        return Change.UNCHANGED
    return Change.REMOVED


def event_time_us(change: Change, seen: Seen | None, entry: Entry | None) -> int:
    """Return the event time of the row that is written.

    The later of the source's and the manifest's, so that within the lane the later run wins: a correction
    back in time, or a key that returns, is not lost. A tombstone and a refresh have the manifest's.
    """
    if change in (Change.REMOVED, Change.REFRESHED) and entry is not None:
        return entry.event_us
    assert seen is not None
    return seen.event_us if entry is None else max(seen.event_us, entry.event_us)
