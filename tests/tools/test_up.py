"""The whole way: ./dev up, status, down, with the real processes, in homes of their own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.fakes import wait_for
from tools import ports, process_table
from tools.places import ROOT
from tools.readiness import Answers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
# The test's own variables would win over what ./dev up sets.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("FRESHLINE_")}


class House:
    """A home and ./dev on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.serving_port = ports.find_free(2)

    def dev(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ./dev COMMAND --home HOME ..."""
        command, *rest = words
        return subprocess.run(
            [sys.executable, str(ROOT / "dev"), command, "--home", str(self.home), *rest],
            cwd=self.home.parent,
            env=_ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    @property
    def up_words(self) -> list[str]:
        return ["up", "--empty", "--port", str(self.port), "--serving-port", str(self.serving_port)]

    def up(self) -> list[str]:
        """Start it; returns the steps that were taken."""
        done = self.dev(*self.up_words, "--detach")
        assert done.returncode == 0, done.stdout + done.stderr
        return re.findall(r"^  (.+) \.\.\. [\d.]+ s$", done.stdout, re.M)

    def status(self) -> dict[str, dict[str, object]]:
        """Return the processes by name."""
        processes = json.loads(self.dev("status", "--json").stdout)["processes"]
        return {process["name"]: process for process in processes}

    def remains(self) -> list[int]:
        return process_table.started_for(self.home)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path.resolve() / "home")
    yield made
    made.dev("down")
    process_table.end(made.remains(), patience=0.5)


def test_a_detached_installation_can_be_asked_survives_kills_and_leaves_nothing_behind(house: House) -> None:
    house.up()
    assert Answers(f"http://127.0.0.1:{house.port}/readyz").is_ready()
    first = house.status()
    assert {"web", "beat", "worker-ingest", "worker-stream", "worker-watch"} <= first.keys()
    assert {process["state"] for process in first.values()} == {"ready"}
    again = house.dev(*house.up_words, "--detach")
    assert again.returncode == 0
    assert "Already running" in again.stdout

    for process in first.values():
        os.kill(int(str(process["pid"])), signal.SIGKILL)
    wait_for(lambda: all(process["restarts"] == 1 for process in house.status().values()), seconds=60)
    wait_for(lambda: house.dev("status").returncode == 0, seconds=60)

    down = house.dev("down")
    assert down.returncode == 0, down.stderr
    assert house.remains() == []
    assert ports.is_free(house.port)
    assert house.dev("status").returncode == 3


def test_after_a_killed_supervisor_the_next_start_begins_clean_with_what_the_first_had_made(
    house: House,
) -> None:
    house.up()
    token = (house.home / "admin-token").read_text()
    supervisor = json.loads((house.home / "run.json").read_text())["supervisor"]
    os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: not process_table.is_alive(supervisor))
    assert house.dev("status").returncode == 3
    orphans = set(house.remains())
    assert orphans
    # Nothing is done again that is up to date.
    assert house.up() == ["bringing the database up to date", "starting"]
    assert not orphans & set(house.remains())
    assert house.dev("status").returncode == 0
    assert (house.home / "admin-token").read_text() == token
    for secret in ("admin-token", "serving-token", "admin-password", "secret-key", "run.json"):
        assert (house.home / secret).stat().st_mode & 0o777 == 0o600, secret
    assert house.home.stat().st_mode & 0o777 == 0o700


def test_one_ctrl_c_stops_an_installation_that_runs_in_front(house: House) -> None:
    terminal = house.home.parent / "terminal"
    with terminal.open("wb") as output:
        front = subprocess.Popen(
            [sys.executable, str(ROOT / "dev"), *house.up_words, "--home", str(house.home)],
            env=_ENVIRONMENT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    wait_for(lambda: "Freshline is running" in terminal.read_text(), seconds=120)
    front.send_signal(signal.SIGINT)
    assert front.wait(timeout=60) == 0, terminal.read_text()
    for name in ("web", "beat", "worker-watch"):
        assert f"\n{name:<13} | " in terminal.read_text()
    assert house.remains() == []


def test_a_port_in_use_is_named_with_who_holds_it_and_nothing_is_started(house: House) -> None:
    with socket.create_server(("127.0.0.1", house.serving_port)):
        done = house.dev(*house.up_words, "--detach")
    assert done.returncode == 1
    assert f"Port {house.serving_port}" in done.stdout
    assert f"pid {os.getpid()}" in done.stdout
    assert "--serving-port" in done.stdout
    assert house.remains() == []
    assert not (house.home / "control.sqlite3").exists()


def test_a_start_that_cannot_succeed_says_why_and_leaves_nothing(house: House) -> None:
    words = [
        sys.executable,
        str(ROOT / "dev"),
        "up",
        "--home",
        str(house.home),
        *house.up_words[1:],
        "--detach",
    ]
    environment = {**_ENVIRONMENT, "DATABASE_URL": "oracle://nowhere"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 1
    assert "DATABASE_URL" in done.stdout
    assert house.remains() == []
