"""The one state of a view that people see: the worst of what its monitors say, as far as they still can."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitors.domain.incidents import Family
from monitors.domain.states import BLIND, State, Timing, is_overdue

# The state may be blind for this many intervals before health follows it.
BLIND_INTERVALS = 3


class HealthState(StrEnum):
    """The words of product.md, as JSON and metrics spell them."""

    MISSING = "missing"
    STALE = "stale"
    VIOLATING = "violating"
    LATE = "late"
    NO_DATA = "no_data"
    PAUSED = "paused"
    FRESH = "fresh"


# Worst first; also the order of lists.
SEVERITY = tuple(HealthState)


@dataclass(frozen=True, slots=True)
class Reading:
    """One monitor of a view, as stored.

    ``sees_age``: it looks at how old values are. What only looks at runs may find a breach; a run that went
    well proves nothing about values that nobody can read since then.
    """

    family: Family
    timing: Timing
    state: State
    since: datetime | None
    last_at: datetime | None
    reason: str
    sees_age: bool = True
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """A view's state, since when (None: not known), and the sentence of the monitor that decides it."""

    state: HealthState
    since: datetime | None
    reason: str


_BREACHES = (
    (Family.PRESENCE, HealthState.MISSING),
    (Family.FRESHNESS, HealthState.STALE),
    (Family.VALIDITY, HealthState.VIOLATING),
)


def judge(readings: Iterable[Reading], *, paused: bool, learning: bool, now: datetime) -> Health:
    """Return the health of a view from the monitors of the view itself.

    Read at ``now``, not as stored: a monitor that should have been evaluated and was not says nothing, so
    that health turns to no data by itself when monitoring stops. A breach outlives that.
    """
    live = [reading for reading in readings if not reading.paused]
    if paused:
        return Health(HealthState.PAUSED, None, "paused by a person")
    for family, state in _BREACHES:
        found = _first(live, family, State.BREACH)
        if found is not None:
            return Health(state, found.since, found.reason)
    fresh = [reading for reading in live if reading.family is Family.FRESHNESS]
    late = next((one for one in fresh if one.state is State.WARN and not _is_overdue(one, now)), None)
    if late is not None:
        return Health(HealthState.LATE, late.since, late.reason)
    if learning:
        return Health(HealthState.NO_DATA, None, "never written yet")
    # Without a promised age there is none to see: then it is the runs that speak for the view.
    aged = [reading for reading in fresh if reading.sees_age] or fresh
    seeing = [reading for reading in aged if not _is_blind(reading, now)]
    if seeing:
        return Health(HealthState.FRESH, max((one.since for one in seeing if one.since), default=None), "")
    return _no_data(aged, now)


def _first(readings: Iterable[Reading], family: Family, state: State) -> Reading | None:
    found = [one for one in readings if one.family is family and one.state is state]
    return min(found, key=lambda one: (one.since is None, one.since), default=None)


def _is_overdue(reading: Reading, now: datetime) -> bool:
    return is_overdue(reading.timing, reading.last_at, now=now, intervals=BLIND_INTERVALS)


def _is_blind(reading: Reading, now: datetime) -> bool:
    if _is_overdue(reading, now):
        return True
    if reading.state not in BLIND:
        return False
    patience: timedelta = BLIND_INTERVALS * reading.timing.interval
    # Blind from its beginning is not "just lost sight": it was never seen fresh.
    return reading.since is None or now - reading.since >= patience or reading.state is State.NO_DATA


def _no_data(aged: list[Reading], now: datetime) -> Health:
    if not aged:
        return Health(HealthState.NO_DATA, None, "no monitor watches its freshness")
    if all(_is_overdue(one, now) for one in aged):
        heard = max((one.last_at for one in aged if one.last_at), default=None)
        return Health(HealthState.NO_DATA, heard, "monitoring is behind: nobody looked lately")
    since = max((one.since for one in aged if one.since), default=None)
    return Health(HealthState.NO_DATA, since, aged[0].reason)
