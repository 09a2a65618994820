"""The list of rules in tests/mutations.txt that `./dev mutate` breaks on purpose.

A line is ``name | file | exact old text | new text | tests``. In the texts ``\\n`` is a line break and
``\\|`` a bar. The tests are a path as ./dev test takes it, with options of the runner if need be:
``tests/kernel/test_names.py -k long``, ``serving/internal/enforce -run MaxAge``, ``frontend/src/x.test.ts``.
"""

import shlex
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path, PurePosixPath

from tools import stamps
from tools.console import Failure
from tools.places import ROOT

LIST = ROOT / "tests" / "mutations.txt"
_BUILT = ("__pycache__", "node_modules")


@dataclass(frozen=True, slots=True)
class Mutation:
    """One rule, how to break it, and the tests that must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: str

    @property
    def tests_path(self) -> str:
        """The file or folder of the tests, without the runner's options."""
        return shlex.split(self.tests)[0].partition("::")[0]


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
    if not (root / mutation.tests_path).exists():
        wrong.append(f"{mutation.name}: there is no {mutation.tests_path}")
    return wrong


def choose(listed: Sequence[Mutation], wishes: Sequence[str]) -> list[Mutation]:
    """Return those that any wish means, in the order of the list; all of them without a wish.

    A wish is a rule's name, a range of names (``first..last``), or a file or folder whose code is broken.
    """
    if not wishes:
        return list(listed)
    wanted = {mutation.name for wish in wishes for mutation in _meant(listed, wish)}
    return [mutation for mutation in listed if mutation.name in wanted]


def _meant(listed: Sequence[Mutation], wish: str) -> Sequence[Mutation]:
    names = [mutation.name for mutation in listed]
    if wish in names:
        return [listed[names.index(wish)]]
    first, dots, last = wish.partition("..")
    if dots and first in names and last in names:
        found: Sequence[Mutation] = listed[names.index(first) : names.index(last) + 1]
    else:
        found = [one for one in listed if PurePosixPath(one.file).is_relative_to(wish.rstrip("/"))]
    if not found:
        raise Failure(f"{wish} is no rule of tests/mutations.txt, no range of them, and no rule's code.")
    return found


def digest(mutation: Mutation, root: Path = ROOT) -> str:
    """Return a digest of the rule, of the file that it breaks, and of its tests as they are now."""
    tests = root / mutation.tests_path
    of_tests = [tests] if tests.is_file() else stamps.files_under(tests, without=_BUILT)
    return stamps.digest([root / mutation.file, *of_tests], *astuple(mutation))
