"""What the system forbids is named with what to do about it; of programs that are missing, test_suites."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tools import commands, installation, running


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


def test_a_home_that_is_a_file_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "home"
    file.touch()
    assert commands.main(["up", "--home", str(file)]) == 1
    assert f"{file} is a file; --home names a folder." in capsys.readouterr().out


@pytest.mark.parametrize("port", ["abc", "0", "65536", "9" * 5_000])
def test_a_port_that_is_none_is_told_in_words(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        commands.main(["up", "--port", port])
    said = capsys.readouterr().err
    assert "argument --port: a port is a number from 1 to 65535" in said


def test_what_is_not_for_people_is_no_choice(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        commands.main(["fly"])
    said = capsys.readouterr().err
    assert "up" in said and "mutate" in said and "supervise" not in said
    with pytest.raises(SystemExit):
        commands.main(["--help"])
    assert "supervise" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "9001"], "--port 9001"),
        (["--serving-port", "9002"], "--serving-port 9002"),
        (["--port", "8000", "--serving-port", "6566"], ""),
        ([], ""),
    ],
)
def test_a_port_wished_for_while_it_runs_is_not_dropped_in_silence(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path.resolve()
    planned = installation.plan(home, port=8000, serving_port=6566, empty=True, environ={})
    installation.write(replace(planned, supervisor=os.getpid(), state="ready"))
    lock = installation.Lock.take(home)
    assert lock is not None
    try:
        assert commands.main(["up", "--home", str(home), *words]) == 0
    finally:
        lock.release()
    said = capsys.readouterr().out
    assert "Already running" in said
    assert ("keeps its ports" in said) == bool(told)
    if told:
        assert f"./dev down --home {home} && ./dev up --home {home} {told}" in said
