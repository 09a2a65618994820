"""Requests a second beside Feast's Python server: over our own layout of the same Redis, and over Feast's."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from benchmarks.serving.measuring import Answers, Load, ask, median, post
from benchmarks.serving.outcomes import Outcome
from benchmarks.serving.processes import Side
from benchmarks.serving.table import HUNDRED, ONE, THOUSAND, Shape

OWN, ON_FEASTS_LAYOUT = "Freshline", "Freshline on Feast's layout"
# How many times as many requests as Feast, by shape.
_TARGETS = {OWN: {ONE: 20, HUNDRED: 60, THOUSAND: 60}, ON_FEASTS_LAYOUT: {HUNDRED: 15}}


@dataclass(frozen=True, slots=True)
class Case:
    """One side asked for one shape over so many connections; ``rounds`` in the order they ran."""

    side: str
    shape: Shape
    connections: int
    rounds: tuple[Answers, ...]

    @property
    def median(self) -> Answers:
        """The medians over the rounds."""
        return median(self.rounds)


def measure(sides: Sequence[Side], connections: Sequence[int], load: Load) -> list[Case]:
    """Ask every side in every round, each round beginning with another side."""
    heard: dict[tuple[Shape, int, str], list[Answers]] = {}
    cases = [
        (shape, count)
        for shape in (ONE, HUNDRED, THOUSAND)
        for count in sorted({min(count, shape.most_connections) for count in connections})
    ]
    for number in range(load.rounds):
        for shape, count in cases:
            first = number % len(sides)
            for side in [*sides[first:], *sides[:first]]:
                (said,) = ask(load, shape, [post(side)], connections=count, server=side)
                heard.setdefault((shape, count, side.name), []).append(said)
    return [
        Case(side.name, shape, count, tuple(heard[shape, count, side.name]))
        for shape, count in cases
        for side in sides
    ]


def outcomes(cases: Sequence[Case], ours: str) -> Iterator[Outcome]:
    """Yield how our side compares with each of Feast's, where both have as many connections as were tried.

    With one connection a server waits for its client most of the time; with several both are kept busy.
    """
    by_name: dict[tuple[str, Shape], Case] = {}
    for case in sorted(cases, key=lambda case: case.connections):
        by_name[case.side, case.shape] = case  # the last has the most
    for (side, shape), theirs in by_name.items():
        target = _TARGETS[ours].get(shape)
        if target is None or not side.startswith("Feast"):
            continue
        own = by_name[ours, shape]
        times = tuple(
            first.per_second / second.per_second
            for first, second in zip(own.rounds, theirs.rounds, strict=True)
        )
        yield Outcome(
            what=f"{ours}, {shape}, {own.connections} connections: requests/s of {side}",
            target=target,
            measured=statistics.median(times),
            unit="x",
            at_least=True,
            rounds=times,
        )


def lines(cases: Sequence[Case]) -> Iterator[str]:
    """Yield one line for each shape, number of connections and side."""
    yield (
        f"{'rows x features':16}{'connections':>12}  {'side':28}{'requests/s':>11}"
        f"{'p50 ms':>9}{'p99 ms':>9}{'cpu ms':>9}{'times':>7}{'answer kB':>11}{'client':>8}  by round"
    )
    base: dict[tuple[Shape, int], float] = {}
    for case in cases:
        said = case.median
        first = base.setdefault((case.shape, case.connections), said.per_second)
        rates = ", ".join(_rate(each.per_second) for each in case.rounds)
        yield (
            f"{case.shape!s:16}{case.connections:>12}  {case.side:28}{_rate(said.per_second):>11}"
            f"{said.p50_ms:>9.2f}{said.p99_ms:>9.2f}{said.server_ms:>9.3f}{first / said.per_second:>7.1f}"
            f"{said.answer_bytes / 1000:>11.1f}{said.client_share:>8.0%}  {rates}"
        )


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.2f}"


def figures(cases: Sequence[Case]) -> list[dict[str, object]]:
    """Return the table for machines."""
    return [
        {
            "side": case.side,
            "shape": str(case.shape),
            "connections": case.connections,
            "median": asdict(case.median),
            "rounds": [asdict(each) for each in case.rounds],
        }
        for case in cases
    ]
