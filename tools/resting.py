"""`./dev stop NAME` and `./dev start NAME`: single processes, kept down until told otherwise.

HOME/resting/NAME is all there is to it: the supervisor starts no process that has one.
"""

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from tools import installation, process_table
from tools.console import Failure, say
from tools.installation import Installation

RESTING = "resting"
_PATIENCE = 12.0


def is_resting(home: Path, name: str) -> bool:
    """Whether the process is to be left alone when it has ended."""
    return _mark(home, name).exists()


def forget(home: Path) -> None:
    """Let every process start again: a whole start is one of everything."""
    for mark in (home / RESTING).glob("*"):
        mark.unlink()


def stop(home: Path, names: Iterable[str], *, kill: bool) -> None:
    """End processes and keep them down. ``kill``: as a crash would, with whatever they had started."""
    home, names = home.resolve(), list(names)
    _check(home, names)
    (home / RESTING).mkdir(exist_ok=True)
    for name in names:
        _mark(home, name).touch()
        _signal(home, name, signal.SIGKILL if kill else signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE
    while late := [name for name in names if _state(home, name) != RESTING]:
        if time.monotonic() > deadline:
            for name in late:
                _signal(home, name, signal.SIGKILL)
            deadline += _PATIENCE
        time.sleep(0.05)
    say(f"Stopped: {', '.join(names)}.")


def start(home: Path, names: Iterable[str]) -> None:
    """Let processes that were stopped run again."""
    home, names = home.resolve(), list(names)
    _check(home, names)
    for name in names:
        _mark(home, name).unlink(missing_ok=True)
    say(f"Starting: {', '.join(names)}.")


def _check(home: Path, names: list[str]) -> None:
    known = [process.name for process in _running(home).processes]
    if unknown := [name for name in names if name not in known]:
        raise Failure(f"There is no process {', '.join(unknown)}; there are {', '.join(known)}.")


def _running(home: Path) -> Installation:
    now = installation.read(home)
    if now is None or not installation.is_held(home):
        raise Failure(f"Nothing is running in {home}.")
    return now


def _mark(home: Path, name: str) -> Path:
    return home / RESTING / name


def _state(home: Path, name: str) -> str:
    return next(one.state for one in _running(home).processes if one.name == name)


def _signal(home: Path, name: str, number: signal.Signals) -> None:
    pid = next(one.pid for one in _running(home).processes if one.name == name)
    if pid <= 0 or not process_table.is_alive(pid):
        return
    if number is signal.SIGKILL:
        process_table.signal_group(pid, number)
    else:
        os.kill(pid, number)
