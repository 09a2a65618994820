"""Processor time of a process and of what it started: other load on the machine hardly moves it."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """Return the seconds of user and system time that ``pid`` and its living descendants have used so far.

    0 where there is no /proc.
    """
    used: dict[int, float] = {}
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name may hold anything, so fields are counted from the bracket that ends it.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        number = int(folder.name)
        parents[number] = int(fields[1])
        used[number] = (int(fields[11]) + int(fields[12])) / _TICKS
    return sum(seconds for number, seconds in used.items() if _descends(number, pid, parents))


def _descends(number: int, ancestor: int, parents: dict[int, int]) -> bool:
    while number and number != ancestor:
        number = parents.get(number, 0)
    return number == ancestor
