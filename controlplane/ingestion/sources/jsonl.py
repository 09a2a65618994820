"""An append-only file of JSON lines as a stream: the embedded default's broker."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from controlplane.ingestion.sources.stream import Chunk, Cursor, Event, Gap
from controlplane.kernel import clock
from controlplane.kernel.errors import Unavailable

PARTITION = "0"
MAX_LINE = 1_048_576
MAX_CHUNK = 4 * MAX_LINE
_HEAD = 1_024


class JsonLines:
    """Reads whole lines after a byte offset. A file that was replaced or cut is a gap."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def partitions(self) -> list[str]:
        return [PARTITION]

    def read(self, partition: str, cursor: Cursor | None, *, limit: int, skip_gap: bool) -> Chunk:
        read_us = clock.now_us()  # before the file is looked at: it never claims too much
        try:
            with self._path.open("rb") as file:
                return self._read(file, cursor, limit=limit, skip_gap=skip_gap, read_us=read_us)
        except OSError as wrong:
            raise Unavailable("unavailable", f"the stream file cannot be read: {wrong.strerror}") from wrong

    def acknowledge(self, partition: str, cursor: Cursor) -> None:
        """Nobody looks at a file's consumers."""

    def _read(
        self, file: BinaryIO, cursor: Cursor | None, *, limit: int, skip_gap: bool, read_us: int
    ) -> Chunk:
        stat = os.fstat(file.fileno())
        lost = _what_is_lost(file, cursor, stat)
        if lost is not None and not skip_gap:
            raise Gap(lost)
        start = 0 if cursor is None or lost is not None else int(cursor["offset"])
        changed_us = stat.st_mtime_ns // 1_000
        file.seek(start)
        events, offset = _whole_lines(file, start, limit=limit, inode=stat.st_ino, arrival_us=changed_us)
        size = max(stat.st_size, offset)
        return Chunk(
            events=tuple(events),
            cursor=_cursor(file, offset),
            is_at_end=offset >= size,
            read_us=read_us,
            consumed_us=None,  # a file does not tell when each of its lines came
            newest_arrival_us=changed_us if size else None,
            lag=size - offset,
        )


def _what_is_lost(file: BinaryIO, cursor: Cursor | None, stat: os.stat_result) -> str | None:
    if cursor is None:
        return None
    offset = int(cursor["offset"])
    if offset > stat.st_size:
        return f"the file was cut to {stat.st_size} bytes, and {offset} were consumed"
    # The beginning tells, not the inode: a copy has all that was consumed, and loses nothing.
    if _digest(file, int(cursor["head"])) != cursor["digest"]:
        return "the file was replaced: it begins with something else than before"
    return None


def _cursor(file: BinaryIO, offset: int) -> Cursor:
    head = min(offset, _HEAD)
    return {"offset": offset, "head": head, "digest": _digest(file, head)}


def _digest(file: BinaryIO, length: int) -> str:
    file.seek(0)
    return hashlib.sha256(file.read(length)).hexdigest()


def _whole_lines(
    file: BinaryIO, start: int, *, limit: int, inode: int, arrival_us: int
) -> tuple[list[Event], int]:
    """Return the events and the offset after the last whole line; half a line is left for later."""
    events: list[Event] = []
    offset = start
    while len(events) < limit and offset - start < MAX_CHUNK:
        line = file.readline(MAX_LINE + 1)
        if not line.endswith(b"\n"):
            if len(line) <= MAX_LINE:
                break
            line, length = _skip_line(file, line)
            if length == 0:
                break
        else:
            length = len(line)
        if line.strip():
            events.append(_event(line, offset, inode, arrival_us, length))
        offset += length
    return events, offset


def _skip_line(file: BinaryIO, start: bytes) -> tuple[bytes, int]:
    """Pass over a line that is too long; returns its beginning and its length, 0 when it has no end yet."""
    length = len(start)
    while True:
        piece = file.readline(MAX_LINE)
        if not piece:
            return start, 0
        length += len(piece)
        if piece.endswith(b"\n"):
            return start[:1_000], length


def _event(line: bytes, offset: int, inode: int, arrival_us: int, length: int) -> Event:
    fault = f"the line has {length} bytes, at most {MAX_LINE} are read" if length > MAX_LINE else None
    try:
        payload = line.decode().rstrip("\r\n")
    except UnicodeDecodeError as wrong:
        payload = line.decode(errors="replace").rstrip("\r\n")
        fault = fault or f"the line is no UTF-8: {wrong.reason} at byte {wrong.start}"
    return Event(f"{PARTITION}:{inode}:{offset}", offset, payload, arrival_us, fault=fault)
