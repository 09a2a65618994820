"""An append-only file of JSON lines as a stream: the embedded default's broker.

The file may be rotated as logrotate does it: ``events.jsonl`` is renamed to ``events.jsonl.1``, over the one
of before, and a new ``events.jsonl`` begins. The older one is read to its end, then the newer one.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from controlplane.ingestion.sources.jsonl_lines import PARTITION, LinesFile, open_lines
from controlplane.ingestion.sources.stream import Chunk, Cursor, Event, Gap
from controlplane.kernel import clock
from controlplane.kernel.errors import Unavailable

ROTATED = ".1"
_HEAD = 1_024


@dataclass(frozen=True, slots=True)
class _Place:
    """An offset in one of the files; ``base`` counts the bytes of the stream before that file."""

    file: LinesFile
    offset: int
    base: int

    def as_cursor(self) -> Cursor:
        head = min(self.offset, _HEAD)
        return {
            "offset": self.offset,
            "base": self.base,
            "inode": self.file.inode,
            "head": head,
            "digest": self.file.digest(head),
        }


class JsonLines:
    """Reads whole lines after a byte offset. One that was replaced or cut is a gap, if not rotated."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def partitions(self) -> list[str]:
        return [PARTITION]

    def read(self, partition: str, cursor: Cursor | None, *, limit: int, skip_gap: bool) -> Chunk:
        read_us = clock.now_us()  # before the files are looked at: it never claims too much
        try:
            with ExitStack() as stack:
                files = self._open(stack)
                start = _find(files, cursor)
                if start is None:
                    assert cursor is not None  # without one, the oldest is the place
                    if not skip_gap:
                        raise Gap(_what_is_lost(files[-1], cursor))
                    start = _Place(files[0], 0, base=_base(cursor) + int(cursor["offset"]))
                return _read(files, start, limit=limit, read_us=read_us)
        except OSError as wrong:
            raise Unavailable("unavailable", f"the stream file cannot be read: {wrong.strerror}") from wrong

    def acknowledge(self, partition: str, cursor: Cursor) -> None:
        """Nobody looks at a file's consumers."""

    def _open(self, stack: ExitStack) -> list[LinesFile]:
        """Open the files that there are, oldest first."""
        # The newer one first: when it is opened after a rotation, the older one is in its place already.
        newest = open_lines(self._path)
        stack.callback(newest.file.close)
        path = self._path.with_name(self._path.name + ROTATED)
        if path.is_symlink() or not path.is_file():  # a link could lead out of the source roots
            return [newest]
        try:
            older = open_lines(path)
        except FileNotFoundError:
            return [newest]
        stack.callback(older.file.close)
        # Under both names at once: it is just being rotated.
        return [newest] if older.inode == newest.inode else [older, newest]


def _find(files: Sequence[LinesFile], cursor: Cursor | None) -> _Place | None:
    """Return where to read on; None when that is in none of the files."""
    if cursor is None or int(cursor["offset"]) == 0:
        return _Place(files[0], 0, base=0)
    offset = int(cursor["offset"])
    # The beginning tells, not the inode: a copy has all that was consumed, and loses nothing. The inode
    # tells two files apart that begin alike.
    newest_first = reversed(files)
    for file in sorted(newest_first, key=lambda each: each.inode != cursor.get("inode")):
        if offset <= file.size and file.digest(int(cursor["head"])) == cursor["digest"]:
            return _Place(file, offset, base=_base(cursor))
    return None


def _base(cursor: Cursor) -> int:
    return int(cursor.get("base", 0))  # cursors of before files were rotated have none


def _what_is_lost(newest: LinesFile, cursor: Cursor) -> str:
    offset = int(cursor["offset"])
    if offset > newest.size:
        return f"the file was cut to {newest.size} bytes, and {offset} were consumed"
    return "the file was replaced: it begins with something else than before"


def _read(files: Sequence[LinesFile], start: _Place, *, limit: int, read_us: int) -> Chunk:
    newest = files[-1]
    events, place = _read_lines(start, limit=limit)
    if not events and place.file is not newest:
        following, reached = _read_lines(_Place(newest, 0, base=place.base + place.file.size), limit=limit)
        # Until the newer one has a line, somebody may still be ending the last line of the older one.
        if reached.offset > 0:
            events = [*place.file.read_rest(place.offset, base=place.base), *following]
            place = reached
    unread = max(0, place.file.size - place.offset)
    lag = unread if place.file is newest else unread + newest.size
    return Chunk(
        events=tuple(events),
        cursor=place.as_cursor(),
        is_at_end=lag == 0,
        read_us=read_us,
        consumed_us=None,  # a file does not tell when each of its lines came
        newest_arrival_us=max((each.changed_us for each in files if each.size), default=None),
        lag=lag,
    )


def _read_lines(start: _Place, *, limit: int) -> tuple[list[Event], _Place]:
    events, end = start.file.read_lines(start.offset, base=start.base, limit=limit)
    return events, _Place(start.file, end, start.base)
