"""The supervisor: starts an installation's processes, restarts those that crash, stops them all.

One thread, one loop. A process writes its own log file and leads a process group of its own, so that
its children go with it.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tools import installation as installations
from tools import logs, process_table, resting
from tools.console import RED, YELLOW, Failure, coloured, say
from tools.installation import Installation, ProcessState
from tools.places import ROOT
from tools.readiness import Probe, Runs

# Connections that may wait at a door while its process is away; the kernel caps it at its own limit.
_BACKLOG = 4_096


@dataclass(frozen=True, slots=True)
class Door:
    """An address of this machine that a process answers on, held open by us across its restarts.

    Whoever connects while the process is away waits in the kernel for the next one: nobody is refused. The
    process finds the socket's number in the environment, under ``variable``.
    """

    port: int
    variable: str


@dataclass(frozen=True, slots=True)
class Process:
    """A process to keep running."""

    name: str
    command: tuple[str, ...]
    probe: Probe = field(default_factory=Runs)
    environment: Mapping[str, str] = field(default_factory=dict)
    door: Door | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds."""

    turn: float = 0.1
    first_delay: float = 0.5  # before the first restart; doubled for each further one
    longest_delay: float = 30.0
    settled: float = 60.0  # after running that long, the next crash counts as the first again
    patience: float = 10.0  # between asking a process to end and making it (an idle worker takes 5)
    start: float = 180.0  # for everything to become ready the first time
    tries: int = 4  # crashes of one process before it was ever ready


class _Child:
    """One process's life so far."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process, self.log = process, log
        self.running: subprocess.Popen[bytes] | None = None
        self.socket: socket.socket | None = None
        self.state = "waiting"
        self.restarts = self.crashes = 0
        self.was_ready = False
        self.due = self.started = 0.0
        self.since = time.time()

    def change(self, state: str) -> None:
        self.state, self.since = state, time.time()

    def report(self) -> ProcessState:
        pid = self.running.pid if self.running else 0
        return ProcessState(self.process.name, self.state, pid, self.restarts, self.since)


class Supervisor:
    """Runs an installation until it is told to stop."""

    def __init__(
        self,
        installation: Installation,
        processes: Sequence[Process],
        *,
        show: bool,
        on_ready: Callable[[], None],
        limits: Limits | None = None,
    ) -> None:
        self._installation = replace(installation, supervisor=os.getpid(), state="starting")
        self._show, self._on_ready, self._limits = show, on_ready, limits or Limits()
        self._children = [_Child(p, installation.logs / f"{p.name}.log") for p in processes]
        width = max((len(p.name) for p in processes), default=0)
        self._followers = [
            logs.Follower(child.log, child.process.name, position=position, width=width)
            for position, child in enumerate(self._children)
        ]
        self._stop_signals = 0

    def run(self) -> None:
        """Supervise until SIGINT, SIGTERM or SIGHUP. Raises ``Failure`` when it does not come up at all."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        give_up = time.monotonic() + self._limits.start
        self._write()
        resting.forget(self._installation.home)
        try:
            self._open_doors()
            while not self._stop_signals:
                changed = [self._tend(child) for child in self._children]
                if self._installation.state == "starting":
                    self._check_start(give_up)
                if any(changed):
                    self._write()
                self._follow()
                time.sleep(self._limits.turn)
        finally:
            self._stop()

    def _open_doors(self) -> None:
        for child in self._children:
            if child.process.door is not None:
                address = ("127.0.0.1", child.process.door.port)
                try:
                    child.socket = socket.create_server(address, backlog=_BACKLOG)
                except OSError as wrong:
                    raise Failure(f"{child.process.name} cannot have port {address[1]}: {wrong}") from wrong

    def _note_signal(self, _number: int, _frame: object) -> None:
        self._stop_signals += 1

    def _tend(self, child: _Child) -> bool:
        """Move one child a step on. Returns whether its state changed."""
        now = time.monotonic()
        if child.running is None:
            if resting.is_resting(self._installation.home, child.process.name):
                return self._rest(child)
            if now < child.due:
                return False
            self._start(child)
            return True
        if (code := child.running.poll()) is not None:
            self._bury(child, code)
            return True
        if child.state == "starting" and child.process.probe.is_ready():
            child.was_ready = True
            child.change("ready")
            return True
        return False

    def _rest(self, child: _Child) -> bool:
        child.due, child.crashes = 0.0, 0
        if child.state == resting.RESTING:
            return False
        child.change(resting.RESTING)
        return True

    def _start(self, child: _Child) -> None:
        process = child.process
        environment = {
            **self._installation.child_environment(),
            **process.environment,
            process_table.MARK: str(self._installation.home),
        }
        passed: tuple[int, ...] = ()
        if child.socket is not None and process.door is not None:
            passed = (child.socket.fileno(),)
            environment[process.door.variable] = str(child.socket.fileno())
        process.probe.reset()
        with child.log.open("ab") as log:
            child.running = subprocess.Popen(
                process.command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=passed,
            )
        child.started = time.monotonic()
        child.change("starting")

    def _bury(self, child: _Child, code: int) -> None:
        assert child.running is not None
        # What the dead one started would hold its port or its work.
        process_table.signal_group(child.running.pid, signal.SIGKILL)
        lived = time.monotonic() - child.started
        child.running = None
        child.crashes = 1 if lived > self._limits.settled else child.crashes + 1
        child.restarts += 1
        delay = min(self._limits.first_delay * 2 ** (child.crashes - 1), self._limits.longest_delay)
        child.due = time.monotonic() + delay
        child.change("waiting")
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        self._say(f"{child.process.name} {how} after {lived:.1f} s; starting it again in {delay:g} s", YELLOW)

    def _check_start(self, give_up: float) -> None:
        if all(child.was_ready for child in self._children):
            self._installation = replace(self._installation, state="ready")
            self._write()
            self._on_ready()
            return
        for child in self._children:
            if not child.was_ready and (child.crashes >= self._limits.tries or time.monotonic() > give_up):
                what = "keeps ending" if child.crashes else f"is not ready after {self._limits.start:g} s"
                raise Failure(
                    f"{child.process.name} {what}. The end of {child.log}:\n{logs.last_lines(child.log)}"
                )

    def _stop(self) -> None:
        """End every process and whatever it started. A second Ctrl-C ends the patience."""
        self._installation = replace(self._installation, state="stopping")
        self._write()
        asked = self._stop_signals
        groups = [child.running.pid for child in self._children if child.running]
        for child in self._children:
            if child.socket is not None:
                child.socket.close()  # from here on, who connects is refused and need not wait
            if child.running:
                # The leader alone: it knows how to let its children finish what they are doing.
                child.running.terminate()
        deadline = time.monotonic() + self._limits.patience
        while any(child.running and child.running.poll() is None for child in self._children):
            if time.monotonic() > deadline or self._stop_signals > asked:
                break
            self._follow()
            time.sleep(self._limits.turn)
        for group in groups:
            process_table.signal_group(group, signal.SIGKILL)
        for child in self._children:
            if child.running:
                child.running.wait()
                child.running = None
            child.change("stopped")
        process_table.end(process_table.started_for(self._installation.home), patience=1.0)
        self._follow()
        self._installation = replace(self._installation, state="stopped")
        self._write()

    def _write(self) -> None:
        reports = tuple(child.report() for child in self._children)
        self._installation = replace(self._installation, processes=reports)
        installations.write(self._installation)

    def _follow(self) -> None:
        for follower in self._followers:
            try:
                follower.follow(show=self._show)
            except OSError:
                self._show = False  # the terminal is gone; the files remain

    def _say(self, text: str, colour: str = RED) -> None:
        say(coloured(f"{logs.clock()} {text}", colour))
