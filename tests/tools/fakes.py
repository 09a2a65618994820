"""An installation in a temporary home, with small fake processes instead of ours."""

import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

from tools import installation, ports, process_table
from tools.installation import Installation
from tools.places import ROOT

# Answers 200 on every address, says what it does, and has a child that must not outlive it.
FAKE_SERVER = textwrap.dedent(
    """
    import http.server, subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200); self.end_headers()
        def log_message(self, *words): pass
    print("child", child.pid, flush=True)
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
    """
)

# Answers each connection with its own process id, on the socket that it was given.
FAKE_DOORMAN = textwrap.dedent(
    """
    import os, socket
    held = socket.socket(fileno=int(os.environ["DOOR"]))
    while True:
        caller = held.accept()[0]
        caller.sendall(str(os.getpid()).encode())
        caller.close()
    """
)


def wait_for(claim: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Return as soon as the claim holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.02)


class FakeInstallation:
    """A home whose supervisor runs, in a process of its own, what a test wrote down."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.web_port, self.serving_port = ports.find_free(2)
        self.output = home / "terminal"
        self.supervisor: subprocess.Popen[bytes] | None = None

    def start(self, processes: str, *, limits: str = "", show: bool = False) -> None:
        """Run a supervisor over ``processes``, the source text of a list of Process."""
        script = textwrap.dedent(
            f"""
            import sys
            from dataclasses import replace
            from pathlib import Path
            sys.path.insert(0, {str(ROOT)!r})
            from tools import installation
            from tools.console import Failure, say
            from tools.readiness import Answers, Beats, Runs
            from tools.supervisor import Door, Limits, Process, Supervisor
            PYTHON, SERVER, PORT = sys.executable, {FAKE_SERVER!r}, {self.web_port}
            DOORMAN = {FAKE_DOORMAN!r}
            HOME = Path({str(self.home)!r})
            lock = installation.Lock.take(HOME)
            ports = dict(port=PORT, serving_port={self.serving_port})
            plan = installation.plan(HOME, **ports, empty=True, environ={{}})
            plan.logs.mkdir(exist_ok=True)
            limits = Limits(turn=0.02, first_delay=0.05, patience=2.0, {limits})
            try:
                Supervisor(plan, {processes}, show={show}, on_ready=lambda: say("READY"), limits=limits).run()
            except Failure as failure:
                sys.exit(str(failure))
            """
        )
        with self.output.open("ab") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def now(self) -> Installation:
        found = installation.read(self.home)
        assert found is not None
        return found

    def is_ready(self) -> bool:
        found = installation.read(self.home)
        return found is not None and found.state == "ready"

    def wait_until_ready(self) -> None:
        wait_for(lambda: self.is_ready() or self.has_ended())
        assert self.is_ready(), self.output.read_text()

    def has_ended(self) -> bool:
        return self.supervisor is not None and self.supervisor.poll() is not None

    def pid_of(self, name: str) -> int:
        return next(process.pid for process in self.now.processes if process.name == name)

    def remains(self) -> list[int]:
        """Return what of this home still runs."""
        return process_table.started_for(self.home)
