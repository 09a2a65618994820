"""What the system forbids is named with what to do about it; of programs that are missing, test_suites."""

import errno
import os

import pytest

from tools import commands, running


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
