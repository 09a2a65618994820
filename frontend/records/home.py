"""Home: what is broken now, what is mine."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from frontend.charts import StripColumn
from frontend.wording import amount


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many views are in one state."""

    state: str
    count: int


@dataclass(frozen=True, slots=True)
class BrokenView:
    """A view that is not fresh. ``consumers`` counts feature services and models that read it."""

    view: str
    state: str
    age: timedelta | None
    limit: timedelta | None
    since: datetime | None
    owner: str
    consumers: int | None
    incident: int | None = None
    acknowledged_by: str = ""
    silenced_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BrokenGroup:
    """Views broken by one cause: one phrase, empty when nobody knows, and the cause's lineage id."""

    cause: str
    node: str
    views: tuple[BrokenView, ...]


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """An open incident in one line."""

    number: int
    title: str
    severity: str
    state: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in progress. ``total`` is unknown for most sources, then no share is shown."""

    id: int
    view: str
    lane: str
    phase: str
    done: int | None
    total: int | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Approaching:
    """A fresh view past 70 % of its maximum age with no run under way."""

    view: str
    age: timedelta
    limit: timedelta
    breach_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """Something people changed in the last 24 hours."""

    text: str
    view: str
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the system with its last 24 hours (in ``unit``). ``value`` is ready to read."""

    label: str
    value: str
    note: str
    series: tuple[float | None, ...]
    unit: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of setting up."""

    text: str
    done: bool
    command: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class HomePage:
    """Everything on Home. ``verdict`` is one sentence; ``verdict_state`` is the worst state in scope."""

    project: str
    scope: str
    verdict: str
    verdict_state: str
    checked_at: datetime | None
    counts: tuple[StateCount, ...]
    strip: tuple[StripColumn, ...]
    broken: tuple[BrokenGroup, ...]
    broken_total: int
    incidents: tuple[IncidentLine, ...]
    runs: tuple[RunLine, ...]
    approaching: tuple[Approaching, ...]
    changes: tuple[Change, ...]
    tiles: tuple[Tile, ...]
    steps: tuple[Step, ...] = ()

    @property
    def views(self) -> int:
        """How many views are in scope."""
        return sum(each.count for each in self.counts)

    @property
    def calm(self) -> str:
        """What stands where broken views would."""
        return calm({each.state: each.count for each in self.counts}, incidents=len(self.incidents))


_WHOSE = {"mine": "your ", "team": "your team's "}
_NOBODY = {"mine": "You own no feature views", "team": "Your team owns no feature views"}
_BAD = ("missing", "stale", "violating", "late")
_QUIET = (("no_data", "no data"), ("paused", "paused"))


def calm(counts: Mapping[str, int], *, incidents: int) -> str:
    """Return what is known when no view is broken. That nothing is known is not that nothing is broken."""
    fresh = counts.get("fresh", 0)
    quiet = [f"{counts[state]:,} {word}" for state, word in _QUIET if counts.get(state)]
    opened = f" {amount(incidents, 'incident')} open." if incidents else ""
    if not fresh:
        return f"Nothing is known: {', '.join(quiet)}.{opened}"
    if quiet:
        return f"Nothing is known to be broken: {', '.join([f'{fresh:,} fresh', *quiet])}.{opened}"
    return f"No view is broken.{opened}" if incidents else "Nothing is broken."


def verdict(counts: Mapping[str, int], *, scope: str, oldest: str = "") -> str:
    """Return the sentence that answers whether anything is broken. Never praise when data is missing."""
    total = sum(counts.values())
    if not total:
        return _NOBODY.get(scope, "No feature views yet")
    whose = _WHOSE.get(scope, "")
    noun = "feature view" if total == 1 else "feature views"
    bad = [(counts[state], state) for state in _BAD if counts.get(state)]
    if len(bad) == 1:
        number, word = bad[0]
        return f"{number:,} of {whose}{total:,} {noun} {'is' if number == 1 else 'are'} {word}{oldest}"
    if bad:
        return f"{', '.join(f'{number:,} {word}' for number, word in bad)} of {whose}{total:,} {noun}{oldest}"
    quiet = [f"{counts[state]:,} {word}" for state, word in _QUIET if counts.get(state)]
    if quiet:
        return ", ".join([f"{counts.get('fresh', 0):,} fresh", *quiet])
    if total == 1:
        return f"{whose.capitalize() or 'The '}only feature view is fresh"
    return f"All {total:,} of {whose}{noun} are fresh" if whose else f"All {total:,} {noun} are fresh"
