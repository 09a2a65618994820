"""Names of processes, and whether one of them is surely gone: what a killed one held is free at once."""

import functools
import os
from pathlib import Path

_PROC = Path("/proc")
_STARTED = 19  # the place of the start time behind the command's name, in /proc/<pid>/stat


def this_process() -> str:
    """Return a name that no other process has, on any machine: of the boot, of the space of pids, pid, start.

    Empty where the system does not tell all of it (outside Linux).
    """
    return _name_of(os.getpid())  # a fork is another process


def is_gone(name: str) -> bool:
    """Whether the process of that name has surely ended. False for one that cannot be seen from here."""
    boot_and_space, _, own = name.rpartition("/")
    pid, _, started = own.partition("-")
    if not boot_and_space or boot_and_space != _whereabouts() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False  # it is there, and somebody else's
    now = _start_of(int(pid))
    return now is not None and now != started  # another process has the number by now


@functools.lru_cache(maxsize=4)
def _name_of(pid: int) -> str:
    whereabouts, started = _whereabouts(), _start_of(pid)
    return f"{whereabouts}/{pid}-{started}" if whereabouts and started else ""


def _whereabouts() -> str:
    """Return what makes a pid mean the same process: the boot of the machine, and the space of pids."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _start_of(pid: int) -> str | None:
    """Return when a process started, in ticks since the boot; None when that is not told."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[_STARTED]
