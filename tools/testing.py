"""`./dev test`: every suite, one summary."""

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tools import build, debian, environment, feast_environment, feast_stores, launcher, suites
from tools.console import BOLD, GREEN, RED, YELLOW, Failure, coloured, say
from tools.places import FRONTEND, ROOT, SERVING, VENV
from tools.servers import TestServers
from tools.suites import Bench, Outcome, Suite

_QUICK = "not slow and not browser"
# What a person has set for an installation of their own must not decide what tests see.
_OURS = (
    "FRESHLINE_",
    "AWS_",
    "DATABASE_URL",
    "BROKER_URL",
    "STORE_URL",
    "STATE_URL",
    "DJANGO_SETTINGS_MODULE",
)
# Without bytecode each of the many processes that tests start would compile everything first.
_SLOWING = ("PYTHONDONTWRITEBYTECODE",)


def _any_python(bench: Bench) -> bool:
    return not bench.paths or bool(bench.of(ROOT / "tests"))


SUITES: tuple[Suite, ...] = (
    Suite(
        "python",
        lambda: True,
        _any_python,
        lambda bench: suites.run_pytest(bench, "python", choose=_QUICK, options=["-n", "2"]),
    ),
    Suite(
        "postgres",
        lambda: True,
        _any_python,
        lambda bench: suites.run_pytest(
            bench,
            "postgres",
            choose=f"database and {_QUICK}",
            options=["-n", "2"],
            DATABASE_URL=bench.environment["FRESHLINE_TEST_POSTGRES_URL"],
        ),
    ),
    Suite(
        "go",
        (SERVING / "go.mod").is_file,
        lambda bench: not bench.paths or bool(bench.of(SERVING)),
        suites.run_go,
    ),
    Suite(
        "frontend",
        (FRONTEND / "package.json").is_file,
        lambda bench: not bench.paths or bool(bench.of(FRONTEND)),
        suites.run_frontend,
    ),
    Suite(
        "slow",
        lambda: suites.mentions(r"\bmark\.slow\b"),
        _any_python,
        lambda bench: suites.run_pytest(bench, "slow", choose="slow and not browser"),
    ),
    Suite(
        "browser",
        lambda: suites.mentions(r"\bmark\.browser\b"),
        _any_python,
        lambda bench: suites.run_pytest(bench, "browser", choose="browser"),
    ),
)
NAMES = tuple(suite.name for suite in SUITES)
FAST = ("python", "go", "frontend")


def run_tests(*, fast: bool, only: Sequence[str], paths: Sequence[str]) -> int:
    """Run the suites that are asked for. Returns 0 when every test passed and there were some."""
    wanted = only or (FAST if fast else NAMES)
    chosen = [suite for suite in SUITES if suite.name in wanted and suite.exists()]
    return report(run_suites(chosen, paths))


def run_suites(chosen: Sequence[Suite], paths: Sequence[str] = ()) -> list[tuple[str, Outcome, float]]:
    """Install, build, start and run; whatever was started is stopped again, also after a Ctrl-C."""
    _check_paths(paths)
    programs = [debian.POSTGRES, debian.REDIS, debian.CHROMIUM]
    debian.ensure([*programs, debian.COMPILER] if (SERVING / "go.mod").is_file() else programs)
    python = prepare()
    with TestServers() as servers:
        bench = Bench(python, test_environment(servers), servers.folder, tuple(paths))
        wanted = [suite for suite in chosen if suite.concerns(bench)]
        if _reads_feast(bench, wanted):
            written = feast_stores.write(servers.folder / "feast", bench.environment)
            bench = replace(bench, environment={**bench.environment, **written})
        return run_on(bench, wanted)


def _reads_feast(bench: Bench, suites: Sequence[Suite]) -> bool:
    """Whether some of the tests may read what Feast wrote; writing it takes Feast ten seconds."""
    if not {suite.name for suite in suites} & {"python", "go"}:
        return False
    readers = (ROOT / "tests" / "store_adapters", ROOT / "tests" / "tools", SERVING)
    return not bench.paths or any(bench.of(folder) for folder in readers)


def prepare() -> Path:
    """Install and build what suites run with; returns the environment's Python."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a CI that gives up is a Ctrl-C as well
    with environment.preparing():
        python = environment.ensure("dev", "demo")
        feast_environment.ensure()
        launcher.write(VENV)
        build.build_frontend()
        build.build_serving()
    return python


def run_on(bench: Bench, chosen: Sequence[Suite]) -> list[tuple[str, Outcome, float]]:
    """Run suites one after the other, each under its name."""
    results = []
    for suite in chosen:
        say()
        say(coloured(f"== {suite.name}", BOLD))
        outcome, seconds = suites.timed(suite, bench)
        if not (bench.paths and outcome.note == "ran no test"):  # the paths may hold none of this suite's
            results.append((suite.name, outcome, seconds))
    return results


def report(results: Sequence[tuple[str, Outcome, float]]) -> int:
    """Print the one summary."""
    say()
    say(coloured(f"{'suite':<16}{'passed':>8}{'failed':>8}{'seconds':>9}", BOLD))
    for name, outcome, seconds in results:
        line = f"{name:<16}{outcome.passed:>8}{outcome.failed:>8}{seconds:>9.1f}"
        say(f"{coloured(line, RED if outcome.failed else GREEN)}  {coloured(outcome.note, YELLOW)}".rstrip())
    passed = sum(outcome.passed for _, outcome, _ in results)
    failed = sum(outcome.failed for _, outcome, _ in results)
    if not passed and not failed:
        say("No test was run.")
        failed = 1
    say()
    say(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def test_environment(servers: TestServers) -> dict[str, str]:
    """Return the environment in which tests run."""
    ours = {name for name in os.environ if name.startswith((*_OURS, *_SLOWING))}
    chromium = debian.CHROMIUM.find()
    home = servers.folder / "home"
    (home / "static").mkdir(parents=True)
    return {
        **{name: value for name, value in os.environ.items() if name not in ours},
        **servers.variables,
        "FRESHLINE_HOME": str(home),
        "FRESHLINE_TEST_CHROMIUM": str(chromium),
        feast_environment.VARIABLE: str(feast_environment.PYTHON),
    }


def _check_paths(paths: Sequence[str]) -> None:
    for path in paths:
        if not Path(ROOT / path.partition("::")[0]).exists():
            raise Failure(f"There is no {path} in {ROOT}.")
