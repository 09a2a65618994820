"""Whole lines of a file of JSON lines, as events."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from controlplane.ingestion.sources.stream import Event

PARTITION = "0"
MAX_LINE = 1_048_576
MAX_CHUNK = 4 * MAX_LINE


@dataclass(frozen=True, slots=True)
class LinesFile:
    """An open file of lines, as it was when it was opened. Its size is what was there then."""

    file: BinaryIO
    inode: int
    size: int
    changed_us: int

    def digest(self, length: int) -> str:
        """Return the SHA-256 of the first bytes, which tells one file from another."""
        self.file.seek(0)
        return hashlib.sha256(self.file.read(length)).hexdigest()

    def read_lines(self, start: int, *, base: int, limit: int) -> tuple[list[Event], int]:
        """Return the events after ``start`` and the offset after the last whole line.

        Half a line is left for later. ``base`` counts the stream's bytes before this file.
        """
        self.file.seek(start)
        events: list[Event] = []
        offset = start
        while len(events) < limit and offset - start < MAX_CHUNK:
            line = self.file.readline(MAX_LINE + 1)
            if not line.endswith(b"\n"):
                if len(line) <= MAX_LINE:
                    break
                line, length = _skip_line(self.file, line)
                if length == 0:
                    break
            else:
                length = len(line)
            if line.strip():
                events.append(self._event(line, base + offset, length))
            offset += length
        return events, offset

    def read_rest(self, start: int, *, base: int) -> list[Event]:
        """Return what stands after ``start``, less than a line to which nobody adds any more, as an event."""
        self.file.seek(start)
        rest = self.file.read(MAX_LINE)
        return [self._event(rest, base + start, max(len(rest), self.size - start))] if rest.strip() else []

    def _event(self, line: bytes, position: int, length: int) -> Event:
        fault = f"the line has {length} bytes, at most {MAX_LINE} are read" if length > MAX_LINE else None
        try:
            payload = line.decode().rstrip("\r\n")
        except UnicodeDecodeError as wrong:
            payload = line.decode(errors="replace").rstrip("\r\n")
            fault = fault or f"the line is no UTF-8: {wrong.reason} at byte {wrong.start}"
        # Two files may have had one inode, one after the other: the position tells their lines apart.
        place = f"{PARTITION}:{self.inode}:{position}"
        return Event(place, position, payload, self.changed_us, fault=fault)


def open_lines(path: Path) -> LinesFile:
    """Open a file; the caller closes ``file``."""
    file = path.open("rb")
    stat = os.fstat(file.fileno())
    return LinesFile(file, stat.st_ino, stat.st_size, stat.st_mtime_ns // 1_000)


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
