"""`./dev mutate`: break each rule of tests/mutations.txt on purpose and see that a test turns red.

A line is ``name | file | exact old text | new text | tests``. In the texts ``\\n`` is a line break and
``\\|`` a bar. The tests are a path as ./dev test takes it, with options of the runner if need be:
``tests/kernel/test_names.py -k long``, ``serving/internal/enforce -run MaxAge``, ``frontend/src/x.test.ts``.
"""

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import build, debian, environment, testing, toolchains
from tools.console import GREEN, RED, Failure, coloured, run, say
from tools.places import FRONTEND, ROOT, SERVING
from tools.servers import TestServers

LIST = ROOT / "tests" / "mutations.txt"
_LIMIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Mutation:
    """One rule, how to break it, and the tests that must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: str


def parse(text: str) -> list[Mutation]:
    """Read the list. Raises ``Failure`` naming the line that is none."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [_unescape(part.strip()) for part in line.replace("\\|", "\0").split(" | ")]
        if len(fields) != 5 or not all(fields[:3]) or not fields[4]:
            raise Failure(f"tests/mutations.txt, line {number}: write name | file | old | new | tests")
        found.append(Mutation(*fields))
    return found


def _unescape(text: str) -> str:
    return text.replace("\0", "|").replace("\\n", "\n")


def complaints(mutation: Mutation, root: Path = ROOT) -> list[str]:
    """Return what is wrong with a mutation: it must fit the code as it is now."""
    path = root / mutation.file
    if not path.is_file():
        return [f"{mutation.name}: there is no {mutation.file}"]
    wrong = []
    count = path.read_text().count(mutation.old)
    if count != 1:
        wrong.append(f"{mutation.name}: {mutation.old!r} occurs {count} times in {mutation.file}, not once")
    tests = shlex.split(mutation.tests)[0].partition("::")[0]
    if not (root / tests).exists():
        wrong.append(f"{mutation.name}: there is no {tests}")
    return wrong


def mutate(names: Sequence[str]) -> int:
    """Try the named mutations, or all. Returns 0 when each turned its tests red."""
    listed = parse(LIST.read_text())
    unknown = set(names) - {mutation.name for mutation in listed}
    if unknown:
        raise Failure(f"No such mutation: {', '.join(sorted(unknown))}")
    chosen = [mutation for mutation in listed if not names or mutation.name in names]
    wrong = [complaint for mutation in chosen for complaint in complaints(mutation)]
    if wrong:
        raise Failure("\n".join(wrong))
    debian.ensure([debian.POSTGRES, debian.REDIS])
    with environment.preparing():
        python = environment.ensure("dev", "demo")
        build.build_frontend()
        build.build_serving()
    survived = _try_all(chosen, python)
    say()
    say(f"{len(chosen) - len(survived)} passed, {len(survived)} failed")
    return 1 if survived else 0


def _try_all(chosen: Iterable[Mutation], python: Path) -> list[Mutation]:
    survived, green = [], set()
    with TestServers() as servers, tempfile.TemporaryDirectory(prefix="freshline-mutated-") as folder:
        variables = testing.test_environment(servers)
        copy = Path(folder) / "copy"
        _copy(copy)
        for mutation in chosen:
            if mutation.tests not in green:
                # A test that is red anyway notices nothing.
                if _is_red(mutation.tests, copy, python, variables):
                    raise Failure(f"{mutation.tests} fails without any mutation.")
                green.add(mutation.tests)
            path = copy / mutation.file
            original = path.read_text()
            path.write_text(original.replace(mutation.old, mutation.new))
            red = _is_red(mutation.tests, copy, python, variables)
            path.write_text(original)
            word = coloured("red  ", GREEN) if red else coloured("GREEN", RED)
            say(f"{word} {mutation.name}  ({mutation.tests})")
            if not red:
                survived.append(mutation)
    return survived


def _copy(target: Path) -> None:
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


def _is_red(tests: str, copy: Path, python: Path, variables: Mapping[str, str]) -> bool:
    """Whether the tests ran and one of them failed. Code that does not even load is no broken rule."""
    path, *options = shlex.split(tests)
    if path.startswith("serving/"):
        go = toolchains.find_go()
        command = [str(go.program("go")), "test", f"./{path.removeprefix('serving/')}", *options]
        folder, variables = copy / "serving", {**variables, **go.variables}
    elif path.startswith("frontend/"):
        node = toolchains.find_node()
        command = [str(node.program("npx")), "vitest", "run", path.removeprefix("frontend/"), *options]
        folder, variables = copy / "frontend", {**variables, "PATH": node.environment()["PATH"]}
    else:
        command = [str(python), "-m", "pytest", "-x", path, *options]
        folder = copy
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
    return done.returncode == 1
