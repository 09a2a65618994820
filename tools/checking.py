"""`./dev check`: the tests, and before them everything else that a machine can check."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools import build, stamps, testing, toolchains
from tools.console import run, run_shown, say, step
from tools.places import DOWNLOADS, FRONTEND, PACKAGES, ROOT, SERVING
from tools.suites import Bench, Outcome, Suite

_STATICCHECK = ROOT / "tools" / "go"
# The pinned staticcheck is written in a newer Go than ours.
_GO_OF_STATICCHECK = (1, 26)


def check(*, only: Sequence[str]) -> int:
    """Run all checks, then all tests. Returns 0 when everything passed."""
    chosen = [suite for suite in (*CHECKS, *testing.SUITES) if suite.exists()]
    chosen = [suite for suite in chosen if not only or suite.name in only]
    tests = [suite for suite in chosen if suite in testing.SUITES]
    with tempfile.TemporaryDirectory(prefix="freshline-check-") as folder:
        bench = Bench(testing.prepare(), os.environ, Path(folder))
        results = testing.run_on(bench, [suite for suite in chosen if suite not in tests])
    # The servers that tests need are started for tests only.
    return testing.report([*results, *(testing.run_suites(tests) if tests else [])])


def _python_tool(*words: str) -> Callable[[Bench], Outcome]:
    return lambda bench: _passes([bench.python, "-m", *words], ROOT)


def _lint_imports(bench: Bench) -> Outcome:
    return _passes([bench.python.with_name("lint-imports"), "--no-cache"], ROOT)


def _gofmt(_: Bench) -> Outcome:
    go = toolchains.find_go()
    wrong = run([go.program("gofmt"), "-l", "."], cwd=SERVING).split()
    for name in wrong:
        say(f"serving/{name} is not formatted: gofmt -w serving/{name}")
    return Outcome(0, 1) if wrong else Outcome(1, 0)


def _staticcheck(_: Bench) -> Outcome:
    go = toolchains.find_go(_GO_OF_STATICCHECK)
    binary = DOWNLOADS / "bin" / "staticcheck"
    stamp = stamps.Stamp("staticcheck")
    wanted = stamps.digest(stamps.files_under(_STATICCHECK), go.version)
    if not (stamp.is_current(wanted) and binary.is_file()):
        with step("building staticcheck"):
            run(
                [go.program("go"), "build", "-o", binary, "honnef.co/go/tools/cmd/staticcheck"],
                cwd=_STATICCHECK,
                env=go.environment(),
            )
        stamp.record(wanted)
    return _passes([binary, "./..."], SERVING, go.environment())


def _tsc(_: Bench) -> Outcome:
    node = toolchains.find_node()
    build.install_frontend_packages(node)
    tsc = FRONTEND / "node_modules" / ".bin" / "tsc"
    return _passes([tsc, "--noEmit"], FRONTEND, node.environment())


def _passes(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> Outcome:
    return Outcome(0, 1) if run_shown(command, cwd=folder, env=environment) else Outcome(1, 0)


def _check(name: str, run_it: Callable[[Bench], Outcome], exists: Callable[[], bool] = lambda: True) -> Suite:
    return Suite(name, exists, lambda bench: not bench.paths, run_it)


_HAS_GO, _HAS_FRONTEND = (SERVING / "go.mod").is_file, (FRONTEND / "tsconfig.json").is_file
CHECKS: tuple[Suite, ...] = (
    _check("ruff", _python_tool("ruff", "check", ".", "dev")),
    _check("format", _python_tool("ruff", "format", "--check", ".", "dev")),
    _check("mypy", _python_tool("mypy", *PACKAGES, "tools", "manage.py")),
    _check("imports", _lint_imports),
    _check("gofmt", _gofmt, _HAS_GO),
    _check("staticcheck", _staticcheck, _HAS_GO),
    _check("tsc", _tsc, _HAS_FRONTEND),
)
NAMES = tuple(suite.name for suite in CHECKS)
