"""The locks: every pin has its hashes, and tests run with what an installation runs with."""

import re

import pytest

from tools import locking
from tools.places import REQUIREMENTS

LOCKS = sorted(path.name for path in REQUIREMENTS.glob("*.txt"))


def _pins(name: str) -> dict[str, str]:
    text = (REQUIREMENTS / name).read_text()
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*(?:\[[^]]*\])?)==([^ ;\\]+)", text, re.M | re.I))


def test_tests_run_with_exactly_what_an_installation_has() -> None:
    core, dynamodb, dev = _pins("core.txt"), _pins("dynamodb.txt"), _pins("dev.txt")
    assert core.items() <= dev.items()
    assert dynamodb.items() <= dev.items()


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name: str) -> None:
    entries = re.split(r"^(?=[a-z0-9])", (REQUIREMENTS / name).read_text(), flags=re.M | re.I)
    pinned = [entry for entry in entries if re.match(r"[a-z0-9]", entry, re.I)]
    assert pinned
    assert not [entry.split()[0] for entry in pinned if "--hash=sha256:" not in entry]


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_an_address(name: str) -> None:
    assert "://" not in (REQUIREMENTS / name).read_text()


def test_every_set_has_its_source_and_is_locked_by_the_command() -> None:
    assert {path.stem for path in REQUIREMENTS.glob("*.in")} == {name[:-4] for name in LOCKS}
    assert {path.stem for path in REQUIREMENTS.glob("*.in")} == set(locking.SETS)
