"""Commands that are run for a person."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.tools.fakes import wait_for
from tools import console, process_table
from tools.console import Failure
from tools.places import ROOT


def test_a_failed_command_says_everything_it_said() -> None:
    script = "import sys; print('said'); print('complained', file=sys.stderr); sys.exit(3)"
    with pytest.raises(Failure, match=r"(?s)failed:.*said.*complained.*ask for help"):
        console.run([sys.executable, "-c", script], advice="ask for help")


def test_a_missing_program_is_named() -> None:
    with pytest.raises(Failure, match="no-such-program is not there"):
        console.run(["no-such-program"])


def test_an_interrupted_command_cleans_up_once_and_what_it_leaves_is_ended(tmp_path: Path) -> None:
    child = textwrap.dedent(
        f"""
        import pathlib, signal, subprocess, sys, time
        told = []
        signal.signal(signal.SIGINT, lambda *_: told.append(1))
        left = subprocess.Popen([sys.executable, "-c", "import signal, time; "
            "signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(300)"])
        (pathlib.Path({str(tmp_path)!r}) / "left").write_text(str(left.pid))
        pathlib.Path({str(tmp_path)!r}, "started").touch()
        while not told:
            time.sleep(0.02)
        time.sleep(0.3)
        pathlib.Path({str(tmp_path)!r}, "cleaned").write_text(str(len(told)))
        """
    )
    parent = textwrap.dedent(
        f"""
        import signal, sys
        sys.path.insert(0, {str(ROOT)!r})
        from tools import console
        # Whoever runs the tests in the background of a shell has them ignore the signal.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        console.run_shown([sys.executable, "-c", {child!r}])
        """
    )
    running = subprocess.Popen(
        [sys.executable, "-c", parent], stderr=subprocess.DEVNULL, start_new_session=True
    )
    wait_for((tmp_path / "started").exists)
    os.killpg(running.pid, signal.SIGINT)  # what a terminal does
    assert running.wait(timeout=20) != 0
    assert (tmp_path / "cleaned").read_text() == "1"
    wait_for(lambda: not process_table.is_alive(int((tmp_path / "left").read_text())))
