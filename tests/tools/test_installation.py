"""What is known of an installation, and what its processes are given."""

from dataclasses import replace
from pathlib import Path

import pytest

from tools import installation
from tools.console import Failure
from tools.installation import Installation, Lock, ProcessState

HOME = Path("/somewhere/home")


def _plan(home: Path = HOME, **environ: str) -> Installation:
    return installation.plan(home, port=8001, serving_port=6001, empty=True, environ=environ)


def test_processes_are_told_the_home_the_addresses_and_the_store() -> None:
    environment = _plan().environment
    assert environment["FRESHLINE_HOME"] == "/somewhere/home"
    assert (
        environment["FRESHLINE_PUBLIC_URL"] == environment["FRESHLINE_CONTROL_URL"] == "http://127.0.0.1:8001"
    )
    assert environment["FRESHLINE_SERVING_URL"] == "http://127.0.0.1:6001"
    assert environment["FRESHLINE_SERVING_LISTEN"] == "127.0.0.1:6001"
    assert environment["FRESHLINE_SERVING_TOKEN_FILE"] == "/somewhere/home/serving-token"
    assert environment["STORE_URL"] == "sqlite:///somewhere/home/store.sqlite3"
    assert environment["FRESHLINE_EGRESS_ALLOW"] == "127.0.0.1,localhost,::1"


def test_processes_keep_their_bytecode_even_where_the_shell_wants_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert not _plan().child_environment()["PYTHONDONTWRITEBYTECODE"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STORE_URL", "redis://127.0.0.1:6379/0"),
        ("DATABASE_URL", "postgresql://me@127.0.0.1/db"),
        ("BROKER_URL", "redis://127.0.0.1:6379/1"),
        ("FRESHLINE_PUBLIC_URL", "https://freshline.example"),
        ("FRESHLINE_EGRESS_ALLOW", ""),
        ("FRESHLINE_MONITOR_INTERVAL", "1s"),
    ],
)
def test_what_a_person_has_set_wins(name: str, value: str) -> None:
    assert _plan(**{name: value}).environment[name] == value


def test_the_home_asked_for_wins_over_one_in_the_environment() -> None:
    assert _plan(FRESHLINE_HOME="/elsewhere").environment["FRESHLINE_HOME"] == "/somewhere/home"


def test_only_our_variables_are_written_down() -> None:
    assert "AWS_SECRET_ACCESS_KEY" not in _plan(AWS_SECRET_ACCESS_KEY="x").environment


def test_a_process_does_not_see_our_variables_of_another_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    planned = _plan(STORE_URL="redis://first")
    monkeypatch.setenv("DATABASE_URL", "postgresql://other")
    monkeypatch.setenv("STORE_URL", "redis://other")
    monkeypatch.setenv("LANG_OF_THE_HOUSE", "en")
    environment = planned.child_environment()
    assert environment["STORE_URL"] == "redis://first"
    assert "DATABASE_URL" not in environment
    assert environment["LANG_OF_THE_HOUSE"] == "en"


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    states = (ProcessState("web", "ready", pid=12, restarts=3, since=1.5),)
    written = replace(_plan(tmp_path), supervisor=11, state="ready", processes=states)
    installation.write(written)
    assert installation.read(tmp_path) == written
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600


def test_a_home_that_never_ran_has_nothing_to_read(tmp_path: Path) -> None:
    assert installation.read(tmp_path) is None
    assert not installation.is_held(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"port": "x"}'])
def test_a_broken_record_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(Failure, match="Remove it"):
        installation.read(tmp_path)


def test_a_lock_is_free_again_when_its_holder_lets_go(tmp_path: Path) -> None:
    first = Lock.take(tmp_path)
    assert first is not None
    assert Lock.take(tmp_path) is None
    assert installation.is_held(tmp_path)
    first.release()
    assert not installation.is_held(tmp_path)
