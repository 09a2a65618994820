"""`./dev mutate`: break rules in a copy of the project, one after the other; each must turn a test red."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools import debian, feast_stores, mutations, testing, toolchains
from tools.console import GREEN, RED, Failure, coloured, run, say
from tools.mutations import Mutation
from tools.places import DOWNLOADS, FRONTEND, ROOT, SERVING
from tools.servers import TestServers

_LIMIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of breaking one rule. ``problem`` says why it shows nothing, and is empty when it does."""

    mutation: Mutation
    is_red: bool
    problem: str = ""


class Memory:
    """Which rules turned their tests red, and with which code, so that a long trial can go on later."""

    def __init__(self, path: Path = DOWNLOADS / "mutations.json") -> None:
        self._path = path
        try:
            self._digests = {str(name): str(value) for name, value in json.loads(path.read_text()).items()}
        except (OSError, ValueError, AttributeError):
            self._digests = {}

    def knows(self, mutation: Mutation) -> bool:
        """Whether the rule turned red, and neither it nor its file nor its tests have changed since."""
        return self._digests.get(mutation.name) == mutations.digest(mutation)

    def note(self, trial: Trial) -> None:
        """Remember a trial now: the next one may be interrupted."""
        self._digests.pop(trial.mutation.name, None)
        if trial.is_red:
            self._digests[trial.mutation.name] = mutations.digest(trial.mutation)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._digests, indent=1, sort_keys=True))


@dataclass(slots=True)
class Bench:
    """The copy in which rules are broken, and what its tests run with."""

    copy: Path
    python: Path
    variables: Mapping[str, str]
    _unbroken: dict[str, str] = field(default_factory=dict)
    _broken: int = 0

    def try_one(self, mutation: Mutation) -> Trial:
        """Break one rule, run its tests, and mend it again."""
        # A test that is red anyway notices nothing.
        if mutation.tests not in self._unbroken:
            self._unbroken[mutation.tests] = self._problem_unbroken(mutation.tests)
        if self._unbroken[mutation.tests]:
            return Trial(mutation, is_red=False, problem=self._unbroken[mutation.tests])
        path = self.copy / mutation.file
        original, times = path.read_text(), path.stat()
        path.write_text(original.replace(mutation.old, mutation.new))
        # Python knows bytecode by its source's second and size, which two mutations may have in common.
        self._broken += 1
        os.utime(path, (times.st_atime, times.st_mtime - 2 * self._broken))
        try:
            return Trial(mutation, is_red=self._is_red(mutation.tests))
        except Failure as failure:
            return Trial(mutation, is_red=False, problem=str(failure))
        finally:
            path.write_text(original)
            os.utime(path, (times.st_atime, times.st_mtime))

    def _problem_unbroken(self, tests: str) -> str:
        try:
            return f"{tests} fails without any mutation" if self._is_red(tests) else ""
        except Failure as failure:
            return str(failure)

    def _is_red(self, tests: str) -> bool:
        """Whether the tests ran and one of them failed. Code that does not even load is no broken rule."""
        command, folder, variables = self._command(tests)
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=dict(variables),
                capture_output=True,
                text=True,
                check=False,
                timeout=_LIMIT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return True
        said = done.stdout + done.stderr
        if done.returncode not in (0, 1) or "[build failed]" in said or "errors during collection" in said:
            raise Failure(f"{tests} could not be run:\n{said[-2000:]}")
        if "no tests to run" in said:
            raise Failure(f"{tests} chooses no test")
        return done.returncode == 1

    def _command(self, tests: str) -> tuple[list[str], Path, Mapping[str, str]]:
        """Return the runner's command, the folder it runs in, and its environment."""
        path, *options = shlex.split(tests)
        if path.startswith("serving/"):
            go = toolchains.find_go()
            command = [str(go.program("go")), "test", f"./{path.removeprefix('serving/')}", *options]
            return command, self.copy / "serving", {**self.variables, **go.variables}
        if path.startswith("frontend/"):
            node = toolchains.find_node()
            command = [str(node.program("npx")), "vitest", "run", path.removeprefix("frontend/"), *options]
            return command, self.copy / "frontend", {**self.variables, "PATH": node.environment()["PATH"]}
        return [str(self.python), "-m", "pytest", "-x", path, *options], self.copy, self.variables


def mutate(wishes: Sequence[str], *, resume: bool) -> int:
    """Try what the wishes mean, or all. Returns 0 when every rule turned its tests red."""
    chosen = mutations.choose(mutations.parse(mutations.LIST.read_text()), wishes)
    wrong = [complaint for mutation in chosen for complaint in mutations.complaints(mutation)]
    if wrong:
        raise Failure("\n".join(wrong))
    memory = Memory()
    left = [mutation for mutation in chosen if not (resume and memory.knows(mutation))]
    trials = _try_all(left, memory) if left else []
    return report(trials, remembered=len(chosen) - len(left))


def report(trials: Sequence[Trial], *, remembered: int) -> int:
    """Print the one summary; returns the exit code."""
    say()
    for trial in trials:
        if not trial.is_red:
            what = f"shows nothing: {trial.problem}" if trial.problem else "survived"
            say(f"{coloured(trial.mutation.name, RED)} ({trial.mutation.file}) {what}")
    if remembered:
        say(f"{remembered} turned red earlier and are unchanged")
    red = remembered + sum(trial.is_red for trial in trials)
    failed = sum(not trial.is_red for trial in trials)
    say(f"{red} passed, {failed} failed")
    return 1 if failed else 0


def _try_all(chosen: Sequence[Mutation], memory: Memory) -> list[Trial]:
    debian.ensure([debian.POSTGRES, debian.REDIS])
    python = testing.prepare()
    trials = []
    with TestServers() as servers, tempfile.TemporaryDirectory(prefix="freshline-mutated-") as folder:
        copy = Path(folder) / "copy"
        copy_sources(copy)
        variables = testing.test_environment(servers)
        variables |= feast_stores.write(servers.folder / "feast", variables)
        bench = Bench(copy, python, variables)
        for position, mutation in enumerate(chosen, start=1):
            started = time.monotonic()
            trial = bench.try_one(mutation)
            memory.note(trial)
            trials.append(trial)
            word = coloured("red  ", GREEN) if trial.is_red else coloured("GREEN", RED)
            word = coloured("WRONG", RED) if trial.problem else word
            seconds = time.monotonic() - started
            say(f"{word} {position}/{len(chosen)} {mutation.name}  ({mutation.tests})  {seconds:.0f} s")
    return trials


def copy_sources(target: Path) -> None:
    """Copy what git knows or would take, and link what is built."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    for name in filter(None, listed.split("\0")):
        source, copied = ROOT / name, target / name
        if source.is_file():
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copied)
    for built in (FRONTEND / "node_modules", FRONTEND / "dist", SERVING / "bin"):
        if built.is_dir():
            (target / built.relative_to(ROOT)).symlink_to(built)
