"""The program `freshline`, written into an environment without installing anything."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import launcher
from tools.places import ROOT


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment in a folder that no shell would take as one word."""
    folder = tmp_path / "it's $HOME's"
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return folder


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


def test_it_runs_this_folders_code_from_anywhere(venv: Path, tmp_path: Path) -> None:
    (tmp_path / "controlplane.py").write_text("raise SystemExit('somebody else of this name')")
    done = run(launcher.write(venv), "runs", "--limit", "many", cwd=tmp_path)
    assert done.returncode == 2
    assert "usage: freshline runs" in done.stderr and "'many'" in done.stderr


def test_what_is_right_is_left_and_what_is_not_is_written_again(venv: Path) -> None:
    program = launcher.write(venv)
    written = program.stat().st_ino
    assert launcher.write(venv).stat().st_ino == written
    program.write_text("#!/bin/sh\nexit 9\n")
    assert run(launcher.write(venv), "--help", cwd=venv).returncode == 0
    assert sorted(path.name for path in program.parent.iterdir()) == ["freshline", "python"]


def test_without_it_the_package_runs_as_a_module() -> None:
    done = run(sys.executable, "-m", "controlplane.cli", "--help", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: freshline")
