"""`./dev fuzz`: every decoder of serving is fed made-up bytes for a while."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import toolchains
from tools.console import BOLD, GREEN, RED, Failure, coloured, run, run_shown, say
from tools.places import SERVING


@dataclass(frozen=True, slots=True)
class Target:
    """A fuzz test of serving: ``name`` in ``package``, as go test lists it."""

    package: str
    name: str

    def __str__(self) -> str:
        return f"{self.package.partition('/internal/')[2] or self.package}.{self.name}"


def fuzz(*, minutes: float, targets: Sequence[str], listing: bool) -> int:
    """Fuzz each target for so many minutes. Returns 0 when nothing was found.

    What is found is kept as a file under the package's testdata, where every later run of the tests reads it.
    """
    go = toolchains.find_go()
    environment = go.environment()
    known = list(
        read_targets(run([go.program("go"), "test", "-list", "^Fuzz", "./..."], cwd=SERVING, env=environment))
    )
    chosen = choose(known, targets)
    if listing:
        say("\n".join(map(str, chosen)))
        return 0
    seconds = max(1, round(minutes * 60))
    found = [target for target in chosen if not _survives(go, target, seconds, environment)]
    say()
    if found:
        say(
            coloured(
                f"Found something in {', '.join(map(str, found))}: see the new files under testdata.", RED
            )
        )
        return 1
    say(coloured(f"{len(chosen)} targets, {seconds} s each: nothing found.", GREEN))
    return 0


def read_targets(listed: str) -> Iterator[Target]:
    """Read what ``go test -list`` says: names, then the package that they are of."""
    names: list[str] = []
    for line in listed.splitlines():
        if line.startswith("Fuzz"):
            names.append(line.strip())
        elif ended := re.match(r"ok\s+(\S+)", line):
            yield from (Target(ended[1], name) for name in names)
            names = []


def choose(known: Sequence[Target], wanted: Sequence[str]) -> list[Target]:
    """Return the targets that are meant by name, by package or by both; all when nothing is wanted."""
    for want in wanted:
        if not any(_means(want, target) for target in known):
            raise Failure(f"There is no fuzz target {want}. There are: {', '.join(map(str, known))}.")
    return [target for target in known if not wanted or any(_means(want, target) for want in wanted)]


def _means(want: str, target: Target) -> bool:
    return want in (str(target), target.name, str(target).rpartition(".")[0])


def _survives(go: toolchains.Toolchain, target: Target, seconds: int, environment: Mapping[str, str]) -> bool:
    say()
    say(coloured(f"== {target}", BOLD))
    command: list[str | Path] = [
        go.program("go"),
        "test",
        "-run",
        "^$",
        "-fuzz",
        f"^{target.name}$",
        "-fuzztime",
        f"{seconds}s",
    ]
    began = time.monotonic()
    # By default go test spends up to a minute on making each input smaller.
    code = run_shown([*command, "-fuzzminimizetime", "5s", target.package], cwd=SERVING, env=environment)
    say(f"{target}: {'nothing found' if code == 0 else 'FAILED'} after {time.monotonic() - began:.0f} s")
    return code == 0
