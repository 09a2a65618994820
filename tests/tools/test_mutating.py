"""./dev mutate: which rules are meant, what is remembered of them, and what a trial shows."""

import os
import sys
from pathlib import Path

import pytest

from tools import mutating, mutations
from tools.console import Failure
from tools.mutating import Bench, Memory, Trial
from tools.mutations import Mutation

LISTED = [
    Mutation("one", "monitors/domain/states.py", "a", "b", "tests/monitors"),
    Mutation("two", "monitors/api.py", "a", "b", "tests/monitors"),
    Mutation("three", "monitors_extra/api.py", "a", "b", "tests/monitors"),
]


@pytest.mark.parametrize(
    ("wishes", "meant"),
    [
        ([], ["one", "two", "three"]),
        (["two"], ["two"]),
        (["two..three"], ["two", "three"]),
        (["monitors"], ["one", "two"]),
        (["monitors/domain/"], ["one"]),
        (["monitors/api.py", "one"], ["one", "two"]),
    ],
)
def test_rules_are_meant_by_name_by_range_or_by_their_code(wishes: list[str], meant: list[str]) -> None:
    assert [mutation.name for mutation in mutations.choose(LISTED, wishes)] == meant


@pytest.mark.parametrize("wish", ["four", "one..four", "three..one", "monitor"])
def test_a_wish_that_means_nothing_is_refused_by_name(wish: str) -> None:
    with pytest.raises(Failure, match=wish):
        mutations.choose(LISTED, [wish])


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A project of one rule: a limit, and a test that notices one step beyond it."""
    (tmp_path / "limit.py").write_text("def is_over(n):\n    return n > 10\n")
    (tmp_path / "test_limit.py").write_text(
        "from limit import is_over\n\n"
        "def test_ten_is_not_over():\n    assert not is_over(10)\n\n"
        "def test_a_hundred_is_over():\n    assert is_over(100)\n\n"
        "def test_that_is_red():\n    raise AssertionError\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("new", "tests", "is_red", "problem"),
    [
        ("n >= 10", "test_limit.py -k ten", True, ""),
        ("n >= 10", "test_limit.py -k hundred", False, ""),
        ("n >= 10", "test_limit.py -k that_is_red", False, "fails without any mutation"),
        ("n >= 10", "test_limit.py -k nothing_at_all", False, "could not be run"),
        ("n >=", "test_limit.py -k ten", False, "could not be run"),
    ],
)
def test_only_a_test_that_is_green_until_the_rule_is_broken_shows_it(
    code: Path, new: str, tests: str, is_red: bool, problem: str
) -> None:
    bench = Bench(code, Path(sys.executable), {"PATH": os.environ["PATH"]})
    before = (code / "limit.py").read_text()
    trial = bench.try_one(Mutation("limit", "limit.py", "n > 10", new, tests))
    assert trial.is_red is is_red
    assert problem in trial.problem
    assert bool(problem) is bool(trial.problem)
    assert (code / "limit.py").read_text() == before


def test_mutations_of_one_length_are_not_taken_for_each_other(code: Path) -> None:
    bench = Bench(code, Path(sys.executable), {"PATH": os.environ["PATH"]})
    for new, is_red in (("n > 99", False), ("n > -1", True), ("n > 98", False)):
        rule = Mutation("limit", "limit.py", "n > 10", new, "test_limit.py -k ten")
        assert bench.try_one(rule).is_red is is_red, new


def test_a_rule_that_turned_red_is_remembered_until_it_its_code_or_its_tests_change(
    code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = mutations.digest
    monkeypatch.setattr(mutations, "digest", lambda mutation: digest(mutation, code))
    rule = Mutation("limit", "limit.py", "n > 10", "n >= 10", "test_limit.py -k ten")
    kept = code / "kept.json"
    Memory(kept).note(Trial(rule, is_red=True))
    assert Memory(kept).knows(rule)
    assert not Memory(kept).knows(Mutation("limit", "limit.py", "n > 10", "n > 11", "test_limit.py -k ten"))
    for name in ("limit.py", "test_limit.py"):
        written = (code / name).read_text()
        (code / name).write_text(written + "\n")
        assert not Memory(kept).knows(rule), name
        (code / name).write_text(written)
    Memory(kept).note(Trial(rule, is_red=False))
    assert not Memory(kept).knows(rule)


def test_the_summary_names_what_survived_and_what_showed_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    trials = [
        Trial(LISTED[0], is_red=True),
        Trial(LISTED[1], is_red=False),
        Trial(LISTED[2], is_red=False, problem="tests/monitors fails without any mutation"),
    ]
    assert mutating.report(trials, remembered=4) == 1
    said = capsys.readouterr().out
    assert "two (monitors/api.py) survived" in said
    assert "three (monitors_extra/api.py) shows nothing: tests/monitors fails" in said
    assert "one (" not in said
    assert said.endswith("5 passed, 2 failed\n")
    assert mutating.report(trials[:1], remembered=0) == 0
