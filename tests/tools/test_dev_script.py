"""The script itself: small, and understandable to Pythons that are too old for anything else."""

import ast
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tools.places import ROOT

SCRIPT = ROOT / "dev"


def test_it_can_be_read_by_old_pythons() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_it_is_small_and_executable() -> None:
    assert len(SCRIPT.read_text().splitlines()) < 60
    assert os.access(SCRIPT, os.X_OK)


def test_a_python_that_is_too_old_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SystemExit, match=r"needs Python 3\.11 or newer; this is 3\.9(.|\n)*apt-get install python3"
    ):
        runpy.run_path(str(SCRIPT), run_name="__main__")


def test_a_python_that_is_too_old_hands_over_to_the_newest_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("python3.11", "python3.13"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    started: list[str] = []

    def replaced(program: str, words: list[str]) -> None:
        started.append(program)
        raise SystemExit(0)

    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "execv", replaced)
    with pytest.raises(SystemExit):
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert started == [str(tmp_path / "python3.13")]


def test_the_parts_need_nothing_but_the_standard_library() -> None:
    """Without a single installed package, the whole command line can be built."""
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); import tools.commands",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
