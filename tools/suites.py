"""The suites of ./dev test: how each is run and how its tests are counted."""

import json
import re
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools import build, toolchains
from tools.console import RED, coloured, interruptible, run_shown, say
from tools.places import FRONTEND, ROOT, SERVING


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a suite came to. ``note`` says what the numbers do not."""

    passed: int
    failed: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """What suites run with."""

    python: Path
    environment: Mapping[str, str]
    folder: Path  # for reports; gone afterwards
    paths: Sequence[str] = field(default_factory=tuple)  # only these, when given

    def of(self, folder: Path) -> list[str]:
        """Return those of the paths that lie in a folder, relative to it."""
        inside = [(ROOT / path.partition("::")[0]).resolve() for path in self.paths]
        return [str(path.relative_to(folder)) for path in inside if path.is_relative_to(folder)]


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite, where its tests are, and how it is run."""

    name: str
    exists: Callable[[], bool]
    concerns: Callable[[Bench], bool]
    run: Callable[[Bench], Outcome]


def run_pytest(bench: Bench, name: str, *, choose: str, options: Sequence[str] = (), **extra: str) -> Outcome:
    """Run pytest with its output shown, and count from its report."""
    report = bench.folder / f"{name}.xml"
    command = [str(bench.python), "-m", "pytest", "-p", "tools.database_marker", "-m", choose, "--tb=short"]
    command += [f"--junitxml={report}", *options, *_pytest_paths(bench)]
    code = run_shown(command, env={**bench.environment, **extra})
    return count_junit(report, code)


def _pytest_paths(bench: Bench) -> list[str]:
    return [path for path in bench.paths if (ROOT / path.partition("::")[0]).is_relative_to(ROOT / "tests")]


def count_junit(report: Path, exit_code: int) -> Outcome:
    """Count a JUnit report. A skipped test has not shown anything: it counts as failed."""
    try:
        suites = list(ET.parse(report).getroot().iter("testsuite"))
    except (OSError, ET.ParseError):
        how = f"was ended by signal {-exit_code}" if exit_code < 0 else f"ended with code {exit_code}"
        return Outcome(0, 1, f"pytest {how} and without a report")
    counts = {
        name: sum(int(suite.get(name, "0")) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    }
    failed = counts["failures"] + counts["errors"] + counts["skipped"]
    passed = counts["tests"] - failed
    note = f"{counts['skipped']} skipped" if counts["skipped"] else ""
    # 0: all passed, 1: some failed, 5: none chosen. Anything else broke before or after the tests.
    if exit_code not in (0, 5) and not failed:
        return Outcome(passed, 1, f"pytest ended with code {exit_code}")
    return Outcome(passed, failed, note)


def run_go(bench: Bench) -> Outcome:
    """Run vet and the tests, with the race detector."""
    go = toolchains.find_go()
    environment = {**bench.environment, **go.environment(), "CGO_ENABLED": "1"}
    environment |= {
        name: value for name, value in bench.environment.items() if name not in ("PATH", "GOROOT")
    }
    vet = run_shown([go.program("go"), "vet", "./..."], cwd=SERVING, env=environment)
    packages = sorted({_go_package(path) for path in bench.of(SERVING)}) or ["./..."]
    command: list[str | Path] = [go.program("go"), "test", "-race", "-json", *packages]
    counter = GoCounter()
    with interruptible(command, cwd=SERVING, env=environment, stdout=subprocess.PIPE) as tests:
        assert tests.stdout is not None
        for line in tests.stdout:
            counter.take(line)
        outcome = counter.outcome(tests.wait())
    return outcome if vet == 0 else Outcome(outcome.passed, outcome.failed + 1, "go vet complains")


def _go_package(path: str) -> str:
    folder = Path(path) if (SERVING / path).is_dir() else Path(path).parent
    return "./..." if str(folder) == "." else f"./{folder}/..."


class GoCounter:
    """Counts the events of ``go test -json``, and shows what a person wants to see of them."""

    def __init__(self) -> None:
        self._passed = self._failed = self._skipped = 0
        self._said: dict[str, list[str]] = {}
        self._failed_in: dict[str, int] = {}

    def take(self, line: str) -> None:
        """Take one event; a line that is none is shown as it is."""
        try:
            event = json.loads(line)
        except ValueError:
            say(line.rstrip())
            return
        action, package = event.get("Action"), str(event.get("Package") or event.get("ImportPath") or "")
        if action in ("output", "build-output"):
            self._said.setdefault(package.partition(" ")[0], []).append(str(event.get("Output", "")))
        elif "Test" in event:
            self._count(action, package)
        elif action in ("pass", "fail", "skip"):
            self._finish(action, package, float(event.get("Elapsed", 0)))

    def _count(self, action: str, package: str) -> None:
        self._passed += action == "pass"
        self._skipped += action == "skip"
        if action == "fail":
            self._failed += 1
            self._failed_in[package] = self._failed_in.get(package, 0) + 1

    def _finish(self, action: str, package: str, seconds: float) -> None:
        if action == "fail":
            # A package that does not build, or panics, fails without a test that does.
            self._failed += 0 if self._failed_in.get(package) else 1
            say("".join(self._said.get(package, [])).rstrip())
        if action != "skip":  # a package without tests
            word = "ok  " if action == "pass" else coloured("FAIL", RED)
            say(f"{word} {package}  {seconds:.1f} s")

    def outcome(self, exit_code: int) -> Outcome:
        """Return the count. A skipped test has not shown anything: it counts as failed."""
        failed = self._failed + self._skipped
        if exit_code and not failed:
            return Outcome(self._passed, 1, f"go test ended with code {exit_code}")
        return Outcome(self._passed, failed, f"{self._skipped} skipped" if self._skipped else "")


def run_frontend(bench: Bench) -> Outcome:
    """Run the TypeScript tests."""
    node = toolchains.find_node()
    build.install_frontend_packages(node)
    report = bench.folder / "frontend.json"
    reporting = ["--reporter=default", "--reporter=json", f"--outputFile.json={report}"]
    command: list[str | Path] = [node.program("npm"), "test", "--", *reporting, *bench.of(FRONTEND)]
    code = run_shown(command, cwd=FRONTEND, env={**bench.environment, **node.environment()})
    try:
        counts = json.loads(report.read_text())
        passed, failed = int(counts["numPassedTests"]), int(counts["numFailedTests"])
        broken = int(counts["numFailedTestSuites"]) if not failed else 0
        skipped = int(counts["numTotalTests"]) - passed - failed
    except (OSError, ValueError, KeyError):
        return Outcome(0, 1, f"ended with code {code} and without a report")
    failed += broken + skipped
    if code and not failed:
        return Outcome(passed, 1, f"npm test ended with code {code}")
    return Outcome(passed, failed, f"{skipped} skipped" if skipped else "")


def mentions(pattern: str) -> bool:
    """Whether any of the Python tests contains the pattern."""
    return any(re.search(pattern, path.read_text()) for path in (ROOT / "tests").glob("**/test_*.py"))


def timed(suite: Suite, bench: Bench) -> tuple[Outcome, float]:
    """Run a suite and take its time; one that ran no test at all has failed."""
    started = time.monotonic()
    outcome = suite.run(bench)
    if outcome.passed + outcome.failed == 0:
        outcome = Outcome(0, 1, "ran no test")
    return outcome, time.monotonic() - started
