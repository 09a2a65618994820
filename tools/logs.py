"""One readable log out of many: every process writes its own file, and the terminal shows them all.

The processes hold their files themselves, so they go on writing whatever becomes of the supervisor.
"""

import sys
import time
from pathlib import Path

from tools.console import coloured

_COLOURS = ("36", "32", "35", "33", "34", "96", "92", "95")
_LARGEST = 20 * 1024 * 1024
_SCREENFUL = 64 * 1024


class Follower:
    """Follows one process's log file and prints its new lines with the process's name before them."""

    def __init__(self, path: Path, name: str, *, position: int, width: int) -> None:
        self._path = path
        self._prefix = coloured(f"{name:<{width}} |", _COLOURS[position % len(_COLOURS)])
        self._offset = path.stat().st_size if path.exists() else 0
        self._rest = b""

    def follow(self, *, show: bool) -> None:
        """Print what is new, if shown at all; and keep the file from growing without end."""
        try:
            size = self._path.stat().st_size
        except OSError:
            return
        if size < self._offset:
            self._offset = 0
        if show and size > self._offset:
            self._print(size)
        if size > _LARGEST:
            self._start_over()

    def _print(self, size: int) -> None:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read(min(size - self._offset, _SCREENFUL))
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            sys.stdout.write(f"{self._prefix} {line.decode(errors='replace').rstrip()}\n")
        sys.stdout.flush()

    def _start_over(self) -> None:
        # The writer appends, so emptying the file under it is safe; lines written in between are lost.
        self._path.with_suffix(".log.1").write_bytes(self._path.read_bytes())
        with self._path.open("r+b") as file:
            file.truncate(0)
        self._offset = 0


def last_lines(path: Path, count: int = 20) -> str:
    """Return the end of a log file."""
    try:
        lines = path.read_bytes().splitlines()[-count:]
    except OSError:
        return ""
    return "\n".join("    " + line.decode(errors="replace") for line in lines)


def clock() -> str:
    """Return the time of day for the supervisor's own lines."""
    return time.strftime("%H:%M:%S")
