"""The supervisor, over small real processes."""

import os
import signal
import socket

import pytest

from tests.tools.fakes import FakeInstallation, wait_for
from tools import attending, installation, process_table, resting
from tools.console import Failure

WEB = 'Process("web", (PYTHON, "-c", SERVER, str(PORT)), Answers(f"http://127.0.0.1:{PORT}/readyz"))'
SLEEPER = 'Process("sleeper", (PYTHON, "-c", "import time; time.sleep(300)"))'
STUBBORN = (
    'Process("stubborn", (PYTHON, "-c", "import signal, time, pathlib; '
    'signal.signal(signal.SIGTERM, signal.SIG_IGN); pathlib.Path({!r}).touch(); time.sleep(300)".format('
    'str(HOME / "deaf"))), Beats(HOME / "deaf"))'
)


def test_it_is_ready_when_every_probe_says_so(fake: FakeInstallation) -> None:
    fake.start(f"[{WEB}, {SLEEPER}]")
    fake.wait_until_ready()
    assert [(p.name, p.state) for p in fake.now.processes] == [("web", "ready"), ("sleeper", "ready")]
    wait_for(lambda: "READY" in fake.output.read_text())
    with socket.create_connection(("127.0.0.1", fake.web_port), timeout=5):
        pass


def test_stopping_leaves_nothing_running_not_even_children_of_children(fake: FakeInstallation) -> None:
    fake.start(f"[{WEB}, {SLEEPER}]")
    fake.wait_until_ready()
    wait_for(lambda: len(fake.remains()) == 3)  # web, its child, sleeper
    attending.down(fake.home)
    assert fake.remains() == []
    assert fake.supervisor is not None
    assert fake.supervisor.wait(timeout=10) == 0
    assert fake.now.state == "stopped"


def test_one_ctrl_c_stops_everything(fake: FakeInstallation) -> None:
    fake.start(f"[{WEB}, {SLEEPER}]")
    fake.wait_until_ready()
    assert fake.supervisor is not None
    os.kill(fake.supervisor.pid, signal.SIGINT)
    assert fake.supervisor.wait(timeout=10) == 0
    assert fake.remains() == []


def test_a_process_that_does_not_want_to_end_is_made_to(fake: FakeInstallation) -> None:
    fake.start(f"[{STUBBORN}]", limits="")
    fake.wait_until_ready()
    attending.down(fake.home)
    assert fake.remains() == []


def test_a_killed_process_is_started_again(fake: FakeInstallation) -> None:
    fake.start(f"[{WEB}, {SLEEPER}]")
    fake.wait_until_ready()
    first = fake.pid_of("web")
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: fake.pid_of("web") not in (0, first) and fake.now.processes[0].state == "ready")
    assert [process.restarts for process in fake.now.processes] == [1, 0]
    assert "web was ended by SIGKILL" in fake.output.read_text()


def test_what_a_killed_process_had_started_goes_with_it(fake: FakeInstallation) -> None:
    fake.start(f"[{WEB}]")
    fake.wait_until_ready()
    log = fake.home / "logs" / "web.log"
    wait_for(lambda: "child" in log.read_text())
    child = int(log.read_text().split()[1])
    os.kill(fake.pid_of("web"), signal.SIGKILL)
    wait_for(lambda: not process_table.is_alive(child))


def test_restarts_of_a_crashing_process_are_further_and_further_apart(fake: FakeInstallation) -> None:
    crashing = 'Process("crashing", (PYTHON, "-c", "raise SystemExit(3)"))'
    fake.start(f"[{crashing}]", limits="tries=99, longest_delay=0.4")
    wait_for(lambda: "starting it again in 0.4 s" in fake.output.read_text())
    delays = [line.rpartition(" in ")[2] for line in fake.output.read_text().splitlines() if " in " in line]
    assert delays[:4] == ["0.05 s", "0.1 s", "0.2 s", "0.4 s"]


def test_a_process_that_never_comes_up_ends_the_start_and_shows_why(
    fake: FakeInstallation,
) -> None:
    broken = (
        'Process("broken", (PYTHON, "-c", "raise SystemExit(\'no such database\')"), '
        'Answers(f"http://127.0.0.1:{PORT}/readyz"))'
    )
    fake.start(f"[{SLEEPER}, {broken}]", limits="tries=3")
    assert fake.supervisor is not None
    assert fake.supervisor.wait(timeout=20) == 1
    said = fake.output.read_text()
    assert "broken keeps ending" in said
    assert "no such database" in said
    assert fake.remains() == []


def test_a_process_that_stays_silent_ends_the_start_at_the_time_limit(fake: FakeInstallation) -> None:
    silent = 'Process("silent", (PYTHON, "-c", "import time; time.sleep(300)"), Beats(HOME / "never"))'
    fake.start(f"[{silent}]", limits="start=0.5")
    assert fake.supervisor is not None
    assert fake.supervisor.wait(timeout=20) == 1
    assert "silent is not ready after 0.5 s" in fake.output.read_text()


def test_a_file_that_an_earlier_process_touched_does_not_count(fake: FakeInstallation) -> None:
    (fake.home / "never").touch()
    silent = 'Process("silent", (PYTHON, "-c", "import time; time.sleep(300)"), Beats(HOME / "never"))'
    fake.start(f"[{silent}]", limits="start=0.5")
    assert fake.supervisor is not None
    assert fake.supervisor.wait(timeout=20) == 1


def test_down_ends_what_a_killed_supervisor_left_behind(fake: FakeInstallation) -> None:
    fake.start(f"[{WEB}, {SLEEPER}]")
    fake.wait_until_ready()
    assert fake.supervisor is not None
    os.kill(fake.supervisor.pid, signal.SIGKILL)
    fake.supervisor.wait()
    assert len(fake.remains()) >= 2
    attending.down(fake.home)
    assert fake.remains() == []


def test_the_processes_of_another_home_are_left_alone(fake: FakeInstallation, tmp_path_factory) -> None:
    fake.start(f"[{SLEEPER}]")
    fake.wait_until_ready()
    attending.down(tmp_path_factory.mktemp("other"))
    assert len(fake.remains()) == 1


def test_a_home_has_one_supervisor_at_a_time(fake: FakeInstallation) -> None:
    fake.start(f"[{SLEEPER}]")
    fake.wait_until_ready()
    assert installation.is_held(fake.home)
    assert installation.Lock.take(fake.home) is None
    attending.down(fake.home)
    assert not installation.is_held(fake.home)


def test_the_terminal_shows_every_line_with_the_process_that_said_it(fake: FakeInstallation) -> None:
    words = "import time; print('flights are late', flush=True); time.sleep(300)"
    talker = f'Process("talker", (PYTHON, "-c", {words!r}))'
    fake.start(f"[{talker}, {SLEEPER}]", show=True)
    wait_for(lambda: "flights are late" in fake.output.read_text())
    assert "talker  | flights are late" in fake.output.read_text()
    assert (fake.home / "logs" / "talker.log").read_text() == "flights are late\n"


def test_what_runs_is_written_for_nobody_else_to_read(fake: FakeInstallation) -> None:
    fake.start(f"[{SLEEPER}]")
    fake.wait_until_ready()
    assert (fake.home / "run.json").stat().st_mode & 0o777 == 0o600


DOORMAN = 'Process("doorman", (PYTHON, "-c", DOORMAN), door=Door(PORT, "DOOR"))'


def test_who_comes_while_a_process_is_away_waits_for_the_next_one(fake: FakeInstallation) -> None:
    fake.start(f"[{DOORMAN}]")
    fake.wait_until_ready()
    first = _answer_at(fake.web_port)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not process_table.is_alive(first))
    assert _answer_at(fake.web_port) not in (0, first)


def test_a_process_that_was_stopped_stays_down_until_it_is_started(fake: FakeInstallation) -> None:
    fake.start(f"[{WEB}, {SLEEPER}]")
    fake.wait_until_ready()
    resting.stop(fake.home, ["web"], kill=False)
    assert next((p.name, p.state, p.pid) for p in fake.now.processes) == ("web", "resting", 0)
    assert fake.now.processes[1].state == "ready"
    resting.start(fake.home, ["web"])
    wait_for(lambda: fake.now.processes[0].state == "ready")


def test_a_process_that_is_killed_for_good_takes_its_children_with_it(fake: FakeInstallation) -> None:
    fake.start(f"[{WEB}]")
    fake.wait_until_ready()
    log = fake.home / "logs" / "web.log"
    wait_for(lambda: "child" in log.read_text())
    resting.stop(fake.home, ["web"], kill=True)
    assert fake.remains() == []


def test_a_stubborn_process_is_stopped_as_well(fake: FakeInstallation, monkeypatch) -> None:
    monkeypatch.setattr(resting, "_PATIENCE", 0.2)
    fake.start(f"[{STUBBORN}]")
    fake.wait_until_ready()
    resting.stop(fake.home, ["stubborn"], kill=False)
    assert fake.now.processes[0].state == "resting"


def test_only_processes_that_there_are_can_be_stopped(fake: FakeInstallation) -> None:
    fake.start(f"[{SLEEPER}]")
    fake.wait_until_ready()
    with pytest.raises(Failure, match="no process wbe; there are sleeper"):
        resting.stop(fake.home, ["wbe"], kill=False)


def test_a_new_start_is_one_of_everything(fake: FakeInstallation) -> None:
    (fake.home / "resting").mkdir()
    (fake.home / "resting" / "sleeper").touch()
    fake.start(f"[{SLEEPER}]")
    fake.wait_until_ready()


def _answer_at(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
        return int(caller.recv(64) or b"0")
