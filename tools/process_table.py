"""Other processes: whether they live, what they are called, which belong to a home, and ending them."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

# Set in the environment of everything that a supervisor starts, to the home it was started for. By it,
# whatever outlived a killed supervisor is found again.
MARK = "FRESHLINE_SUPERVISED"


def is_alive(pid: int) -> bool:
    """Whether the process exists and has not ended (a zombie has)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True  # not Linux
    return state != "Z"


def command_line(pid: int) -> str:
    """Return the command line, shortened; empty when it cannot be told."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    text = b" ".join(words).decode(errors="replace").strip()
    return text if len(text) <= 80 else text[:77] + "..."


def started_for(home: Path) -> list[int]:
    """Return what supervisors of this home started, and what that started; without ourselves."""
    mark = f"{MARK}={home}".encode()
    found = _by_proc(mark) if Path("/proc/self/environ").exists() else _by_ps(mark.decode())
    return [pid for pid in found if pid != os.getpid() and is_alive(pid)]


def _by_proc(mark: bytes) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark in variables:
            found.append(int(process.name))
    return found


def _by_ps(mark: str) -> list[int]:
    listing = subprocess.run(
        ["ps", "-axEww", "-o", "pid=,command="], capture_output=True, text=True, check=False
    ).stdout
    lines = [line.strip().partition(" ") for line in listing.splitlines()]
    return [int(pid) for pid, _, words in lines if mark in words.split()]


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group, if there still is one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def end(pids: Iterable[int], *, patience: float = 5.0) -> list[int]:
    """End processes: politely, then not. Returns those that were alive when asked."""
    ended = [pid for pid in pids if is_alive(pid)]
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        for pid in ended:
            _signal(pid, number)
        deadline = time.monotonic() + seconds
        while any(is_alive(pid) for pid in ended):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        else:
            break
    return ended


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
