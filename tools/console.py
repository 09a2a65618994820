"""Talking to the person at the terminal, and running what they would have typed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.places import ROOT

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"


class Failure(Exception):
    """Something a person has to do something about; the message says what."""


def coloured(text: str, *codes: str) -> str:
    """Return ``text`` in colour, if the terminal shows colours and nobody asked for none."""
    if not codes or "NO_COLOR" in os.environ or not (sys.stdout.isatty() or "FORCE_COLOR" in os.environ):
        return text
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m"


def say(text: str = "") -> None:
    """Print one line now, even when the output is a file that somebody follows."""
    # Whoever read us may be gone (a closed terminal, a `head`): what we are doing must still be finished.
    with suppress(OSError):
        print(text, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce something that takes a while, then say how long it took."""
    started = time.monotonic()
    print(f"  {title} ...", end="", flush=True)
    try:
        yield
    except BaseException:
        say(coloured(" failed", RED))
        raise
    say(coloured(f" {time.monotonic() - started:.1f} s", DIM))


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    advice: str = "",
) -> str:
    """Run a command quietly and return its standard output. Raises ``Failure`` with everything it said."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as missing:
        raise Failure(f"{words[0]} is not there: {missing.strerror}. {advice}".rstrip()) from missing
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise Failure("\n".join(part for part in (f"{' '.join(words)} failed:", said, advice) if part))
    return done.stdout


def run_shown(
    command: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> int:
    """Run a command with its output shown and return its exit code; a Ctrl-C lets it clean up first."""
    with interruptible(command, cwd=cwd, env=env) as child:
        return child.wait()


@contextmanager
def interruptible(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str] | None,
    stdout: int | None = None,
) -> Iterator["subprocess.Popen[str]"]:
    """Start a command that is told of a Ctrl-C exactly once, and has half a minute to end then.

    In our own process group the terminal would tell it as well, and a second interrupt makes pytest drop
    what its tests have started.
    """
    words = [str(word) for word in command]
    child = subprocess.Popen(
        words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=stdout, text=True, process_group=0
    )
    try:
        yield child
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        with suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
            child.wait(timeout=30)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
