"""How tests are counted: what did not show anything has not passed."""

import json
from pathlib import Path

import pytest

from tools import debian, suites, testing
from tools.console import Failure
from tools.debian import Program
from tools.suites import Bench, GoCounter, Outcome, Suite


def _junit(path: Path, **counts: int) -> Path:
    given = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0, **counts}
    attributes = " ".join(f'{name}="{count}"' for name, count in given.items())
    path.write_text(f"<testsuites><testsuite {attributes}/></testsuites>")
    return path


@pytest.mark.parametrize(
    ("counts", "code", "expected"),
    [
        ({"tests": 5}, 0, Outcome(5, 0)),
        ({"tests": 5, "failures": 2, "errors": 1}, 1, Outcome(2, 3)),
        ({"tests": 5, "skipped": 1}, 0, Outcome(4, 1, "1 skipped")),
        ({"tests": 5}, 3, Outcome(5, 1, "pytest ended with code 3")),
        ({"tests": 0}, 5, Outcome(0, 0)),
    ],
)
def test_a_report_of_pytest_is_counted(
    tmp_path: Path, counts: dict[str, int], code: int, expected: Outcome
) -> None:
    assert suites.count_junit(_junit(tmp_path / "r.xml", **counts), code) == expected


def test_a_run_without_a_report_has_failed(tmp_path: Path) -> None:
    assert suites.count_junit(tmp_path / "none.xml", 2).failed == 1


def _go(*events: dict[str, object], code: int = 0) -> Outcome:
    counter = GoCounter()
    for event in events:
        counter.take(json.dumps({"Package": "p", **event}) + "\n")
    return counter.outcome(code)


def test_go_tests_are_counted() -> None:
    passed, failed = {"Action": "pass", "Test": "A"}, {"Action": "fail", "Test": "B"}
    assert _go(passed, passed, {"Action": "pass"}) == Outcome(2, 0)
    assert _go(passed, failed, {"Action": "fail"}, code=1) == Outcome(1, 1)


def test_a_go_package_that_does_not_build_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"Action": "output", "Output": "undefined: x\n"}
    assert _go(said, {"Action": "fail"}, code=1) == Outcome(0, 1)
    assert "undefined: x" in capsys.readouterr().out


def test_a_go_test_that_passes_itself_over_is_a_failure() -> None:
    assert _go({"Action": "skip", "Test": "A"}, {"Action": "pass"}) == Outcome(0, 1, "1 skipped")


def test_go_failing_without_a_word_is_a_failure() -> None:
    assert _go({"Action": "pass", "Test": "A"}, code=2) == Outcome(1, 1, "go test ended with code 2")


def test_a_suite_that_ran_no_test_has_failed(tmp_path: Path) -> None:
    idle = Suite("idle", lambda: True, lambda bench: True, lambda bench: Outcome(0, 0))
    outcome, _ = suites.timed(idle, Bench(tmp_path, {}, tmp_path))
    assert outcome == Outcome(0, 1, "ran no test")


def test_the_last_line_sums_every_suite(capsys: pytest.CaptureFixture[str]) -> None:
    assert testing.report([("a", Outcome(3, 0), 1.0), ("b", Outcome(2, 1), 2.0)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "5 passed, 1 failed"
    assert testing.report([("a", Outcome(3, 0), 1.0)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "3 passed, 0 failed"


def test_nothing_run_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert testing.report([]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"


def test_without_root_the_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    missing = [Program("A", ("a-server", "a-tools"), lambda: None), Program("B", ("b",), lambda: None)]
    present = Program("C", ("c",), lambda: Path("c"))
    with pytest.raises(Failure, match=r"A, B.*\n.*apt-get install a-server a-tools b$"):
        debian.ensure([*missing, present])
