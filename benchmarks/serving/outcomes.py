"""The rows of serving's speed table: what was aimed at, what was measured, and whether that meets it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """One target. ``rounds`` are the figures that ``measured`` is the median of."""

    what: str
    target: float
    measured: float
    unit: str  # "x" is how many times as many
    at_least: bool = False  # else at most
    rounds: tuple[float, ...] = ()

    @property
    def met(self) -> bool:
        """Whether the measured figure, as it is printed, is as good as the target."""
        measured = float(number(self.measured))
        return measured >= self.target if self.at_least else measured <= self.target

    def as_document(self) -> dict[str, object]:
        """Return the outcome for machines."""
        return {**asdict(self), "met": self.met}


@dataclass(frozen=True, slots=True)
class Part:
    """What one kind of measurement gives: outcomes, and the text and figures behind them."""

    name: str
    title: str
    outcomes: list[Outcome] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    figures: list[dict[str, object]] = field(default_factory=list)


def number(value: float) -> str:
    """Return a figure with three digits or so."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def outcome_table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield a line for each outcome."""
    yield f"{'what':86}{'target':>16}{'measured':>14}  {'':7}  by round"
    for each in outcomes:
        bound = "at least" if each.at_least else "at most"
        yield (
            f"{each.what:86}{f'{bound} {_shown(each.target)}{each.unit}':>16}"
            f"{f'{number(each.measured)}{each.unit}':>14}  {'met' if each.met else 'NOT MET':7}"
            f"  {', '.join(map(number, each.rounds))}".rstrip()
        )


def _shown(target: float) -> str:
    return f"{target:g}"
