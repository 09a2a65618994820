"""A whole installation of its own: every process, spoken to by HTTP alone."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

from tools import ports
from tools.places import ROOT

_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("FRESHLINE_")}
_ENVIRONMENT.pop("DATABASE_URL", None)


class House:
    """``./dev up --detach`` on a home of its own, without the demo unless asked for.

    ``settings`` are its environment.
    """

    def __init__(self, home: Path, *, demo: bool = False, **settings: str) -> None:
        self.home, self._settings = home, settings
        self._wishes = [] if demo else ["--empty"]
        port, serving_port = ports.find_free(2)
        self.web, self.serving = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{serving_port}"
        self._ports = ["--port", str(port), "--serving-port", str(serving_port)]
        self.token = ""

    def up(self) -> str:
        """Start everything; returns what a person reads then."""
        said = self.dev("up", *self._wishes, "--detach", *self._ports)
        self.token = (self.home / "admin-token").read_text().strip()
        return said

    def down(self) -> None:
        self._dev("down")

    def dev(self, command: str, *words: str) -> str:
        """Run ``./dev COMMAND`` for this home; returns what it says."""
        done = self._dev(command, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pid(self, process: str) -> int:
        """Return the process id of one process; 0 while it is down."""
        return next(int(one["pid"]) for one in self.processes() if one["name"] == process)

    def processes(self) -> list[dict]:
        """Return what the supervisor knows of each process."""
        return json.loads((self.home / "run.json").read_text())["processes"]

    def is_whole(self) -> bool:
        """Whether every process is ready."""
        return all(one["state"] == "ready" for one in self.processes())

    def kill(self, *processes: str) -> None:
        """Kill -9 processes with their children; they stay dead until ``start``."""
        self.dev("stop", "--kill", *processes)

    def start(self, *processes: str) -> None:
        """Let processes run again, and wait until they do."""
        self.dev("start", *processes)
        eventually(self.is_whole, within=120)

    def api(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict]:
        """Ask the control plane; returns status and answer."""
        return self._ask(method, f"{self.web}/api/v1/{path}", body, headers)

    def ok(self, method: str, path: str, body: object = None, **headers: str) -> dict:
        """Ask the control plane what must succeed; returns the answer."""
        status, answer = self.api(method, path, body, **headers)
        assert status < 300, (method, path, status, answer)
        return answer

    def rows(self, sql: str, *values: object) -> list[tuple]:
        """Read the control plane's own tables, as a person with the file would."""
        with closing(sqlite3.connect(f"file:{self.home}/control.sqlite3?mode=ro", uri=True)) as database:
            return database.execute(sql, values).fetchall()

    def lookup(self, path: str, body: object, **headers: str) -> tuple[int, dict]:
        """Ask serving."""
        return self._ask("POST", f"{self.serving}/{path}", body, headers)

    def counted(self, what: str) -> float:
        """Return one of serving's own figures."""
        measured = get(f"{self.serving}/metrics")[1]
        return float(re.search(rf"^freshline_serving_{what} (.+)$", measured, re.M)[1])

    def _ask(self, method: str, url: str, body: object, headers: dict) -> tuple[int, dict]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _parsed(answer.read())
        except urllib.error.HTTPError as refused:
            return refused.code, _parsed(refused.read())

    def _dev(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "dev"), command, "--home", str(self.home), *words],
            env={**_ENVIRONMENT, **self._settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )


def _parsed(body: bytes) -> dict:
    """Return a JSON answer; anything else (YAML, server-sent events) as ``{"text": ...}``."""
    try:
        return json.loads(body or b"{}")
    except ValueError:
        return {"text": body.decode()}


def eventually(claim, *, within: float, every: float = 0.05):
    """Return what ``claim`` returns as soon as that is true; fail when it never is ``within`` seconds.

    ``every``: seconds between two looks; a token may ask 600 times a minute.
    """
    deadline = time.monotonic() + within
    while True:
        found = claim()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(every)


def get(address: str) -> tuple[int, str]:
    """Ask as anybody may; returns status and answer."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
