"""What is missing, or forbidden, is named with what to do about it."""

import errno
import os
from pathlib import Path

import pytest

from tools import commands, debian, running
from tools.console import Failure
from tools.debian import Program

MISSING = [
    Program("PostgreSQL", ("postgresql",), lambda: None),
    Program("a C compiler", ("gcc", "libc6-dev"), lambda: None),
]


def test_who_may_not_install_is_told_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(
        Failure, match=r"PostgreSQL, a C compiler(.|\n)*apt-get install gcc libc6-dev postgresql"
    ):
        debian.ensure(MISSING)


def test_root_without_apt_is_told_the_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failure, match="apt-get install"):
        debian.ensure(MISSING)


def test_what_is_there_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    debian.ensure([Program("Python", ("python3",), lambda: Path("/usr/bin/python3"))])


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.EACCES, "must be yours to write"), (errno.EROFS, "--home DIR"), (errno.ENOSPC, "Make room")],
)
def test_a_folder_that_cannot_be_written_is_named(
    number: int, advice: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_wish: running.Wish) -> None:
        raise OSError(number, os.strerror(number), "/somewhere/home")

    monkeypatch.setattr(running, "up", refuse)
    assert commands.main(["up"]) == 1
    said = capsys.readouterr().out
    assert "/somewhere/home" in said
    assert advice in said


def test_any_other_error_of_the_system_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_(_wish: running.Wish) -> None:
        raise OSError(errno.EIO, "Input/output error", "/somewhere/home")

    monkeypatch.setattr(running, "up", break_)
    with pytest.raises(OSError, match="Input/output"):
        commands.main(["up"])
