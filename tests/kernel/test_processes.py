"""Whether a process is surely gone, by its name."""

import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel import processes

SAY_AND_WAIT = (
    "import sys; from controlplane.kernel.processes import this_process;"
    "print(this_process(), flush=True); sys.stdin.read()"
)


@pytest.fixture
def child():
    """Return a process that has said its name, and waits."""
    started = subprocess.Popen(
        [sys.executable, "-c", SAY_AND_WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with started:
        started.name = started.stdout.readline().strip()
        yield started
        started.kill()


def test_a_process_that_was_killed_is_gone_and_was_not_before(child):
    assert child.name != processes.this_process() != ""
    assert not processes.is_gone(child.name)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert processes.is_gone(child.name)


def test_this_process_is_not_gone():
    assert not processes.is_gone(processes.this_process())


def test_a_process_whose_number_another_one_got_is_gone():
    name, _, started = processes.this_process().rpartition("-")
    assert processes.is_gone(f"{name}-{int(started) - 1}")


def test_a_fork_has_a_name_of_its_own():
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, processes.this_process().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    name = os.read(read, 200).decode()
    os.close(read)
    os.close(write)
    assert processes.is_gone(name)
    assert not processes.is_gone(processes.this_process())


@pytest.mark.parametrize("part", [0, 1])
def test_a_process_of_another_machine_or_container_is_never_gone(child, part):
    """Its number means nothing here, and its clock of starts neither."""
    child.send_signal(signal.SIGKILL)
    child.wait()
    parts = child.name.split("/")
    parts[part] = "another"
    assert not processes.is_gone("/".join(parts))


def test_where_the_system_tells_nothing_nobody_is_gone(child, monkeypatch, tmp_path):
    child.send_signal(signal.SIGKILL)
    child.wait()
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    assert not processes.is_gone(child.name)


@given(st.text(max_size=60))
def test_a_name_that_no_process_has_given_itself_says_nothing(text):
    assert not processes.is_gone(text)


@given(st.text(max_size=20))
def test_a_name_of_this_machine_without_a_pid_says_nothing(text):
    here = processes.this_process().rpartition("/")[0]
    assert not processes.is_gone(f"{here}/x{text}")
