"""One monitor's state, moved by one result at a time.

``step`` is pure: replaying the stored results under the same config gives the same states and changes.
Four clocks run between two results that both saw the same condition; whatever breaks the sight of it (a gap
in evaluation, no data, a failed check) stops them, so nobody is paged for time that nobody watched.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

ZERO = timedelta(0)
# A result more than this many intervals after the last one is a gap: the time between counts for nothing.
# From the same lateness on a monitor is overdue, and told as such: evaluation must not be so slow that it
# never counts, and yet not slow enough to be noticed.
GAP_INTERVALS = OVERDUE_INTERVALS = 3
# However soon a state might change by itself, a monitor is not evaluated more often than this.
SHORTEST_WAIT = timedelta(milliseconds=200)


class State(StrEnum):
    """What a monitor says; also the level of a single result."""

    OK = "ok"
    WARN = "warn"
    BREACH = "breach"
    NO_DATA = "no_data"  # evaluated: nothing to judge, or too little
    UNKNOWN = "unknown"  # the check failed, or is overdue


BLIND = frozenset({State.NO_DATA, State.UNKNOWN})
BAD = frozenset({State.WARN, State.BREACH})


@dataclass(frozen=True, slots=True)
class Timing:
    """When a level becomes a state: after ``hold`` into warn or breach, after ``clear_for`` back."""

    interval: timedelta
    hold: timedelta
    clear_for: timedelta


@dataclass(frozen=True, slots=True)
class Result:
    """What one evaluation saw at ``at``. ``clear``: under the clear limit, which is lower than the limits.

    ``value`` is in the kind's unit (seconds of age, a share, a count); ``changes_at`` is when the level would
    change by itself, with nothing new written.
    """

    at: datetime
    level: State
    clear: bool
    value: float | None
    reason: str
    changes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MonitorState:
    """Where a monitor stands. A clock is None while its condition does not hold."""

    state: State = State.NO_DATA
    since: datetime | None = None
    level: State = State.NO_DATA
    last_at: datetime | None = None
    breach_clock: timedelta | None = None
    bad_clock: timedelta | None = None
    eased_clock: timedelta | None = None
    clear_clock: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A monitor moved from one state to another."""

    before: State
    after: State
    at: datetime
    value: float | None
    reason: str


def step(
    timing: Timing, state: MonitorState, result: Result, *, now: datetime
) -> tuple[MonitorState, tuple[Change, ...]]:
    """Apply ``result``; return the new state and the change, if it is one.

    A result not newer than the last applied one changes nothing. One from the future counts as of now.
    """
    at = min(result.at, now)
    if state.last_at is not None and at <= state.last_at:
        return state, ()
    moved = _run_clocks(timing, state, result, at)
    after = _decide(timing, moved, result)
    if after is state.state:
        return replace(moved, since=state.since or at), ()
    change = Change(before=state.state, after=after, at=at, value=result.value, reason=result.reason)
    return replace(moved, state=after, since=at), (change,)


def next_due(timing: Timing, state: MonitorState, result: Result, *, now: datetime) -> datetime:
    """Return when to evaluate again: at the interval, or sooner where the state would change by itself."""
    moments = [now + timing.interval]
    if result.changes_at is not None and result.changes_at > now:
        moments.append(result.changes_at)
    if state.last_at is not None and state.level not in BLIND:
        clocks = (
            (state.breach_clock, timing.hold, state.state is not State.BREACH),
            (state.bad_clock, timing.hold, state.state not in BAD),
            (state.clear_clock, timing.clear_for, state.state in BAD),
        )
        for clock, target, wanted in clocks:
            if wanted and clock is not None and clock < target:
                moments.append(state.last_at + target - clock)
    return max(min(moments), now + SHORTEST_WAIT)


def restarted(state: MonitorState) -> MonitorState:
    """Return the state after its limits were edited: what was pending begins anew, nothing resolves."""
    return replace(state, breach_clock=None, bad_clock=None, eased_clock=None, clear_clock=None)


def released(state: MonitorState) -> MonitorState:
    """Return the state after its incident resolved while it saw nothing: no longer a breach, not healthy."""
    return replace(restarted(state), state=state.level if state.level in BLIND else State.UNKNOWN)


def rearmed(timing: Timing, state: MonitorState) -> MonitorState:
    """Return the state after a person resolved its incident: the very next failing result breaches again.

    ``since`` None tells it from a monitor that looked and could not see.
    """
    return replace(restarted(state), state=State.UNKNOWN, since=None, breach_clock=timing.hold)


def is_overdue(
    timing: Timing, last_at: datetime | None, *, now: datetime, intervals: int = OVERDUE_INTERVALS
) -> bool:
    """Whether nothing was heard for so long that the state can no longer be believed."""
    # Below two seconds an interval the wake-ups themselves jitter by more than that.
    patience = intervals * max(timing.interval, timedelta(seconds=2))
    return last_at is None or now - last_at >= patience


def is_gap(timing: Timing, last_at: datetime | None, *, at: datetime) -> bool:
    """Whether so much time passed since the last result that nobody watched between."""
    return last_at is not None and at - last_at > GAP_INTERVALS * timing.interval


def _run_clocks(timing: Timing, state: MonitorState, result: Result, at: datetime) -> MonitorState:
    if result.level in BLIND:
        return replace(state, level=result.level, last_at=at)
    elapsed = at - state.last_at if state.last_at is not None else ZERO
    watched = state.level not in BLIND and not is_gap(timing, state.last_at, at=at)
    tick = elapsed if watched else ZERO

    def run(clock: timedelta | None, *, holds: bool) -> timedelta | None:
        if not holds:
            return None
        return ZERO if clock is None else clock + tick

    return replace(
        state,
        level=result.level,
        last_at=at,
        breach_clock=run(state.breach_clock, holds=result.level is State.BREACH),
        bad_clock=run(state.bad_clock, holds=result.level in BAD),
        eased_clock=run(state.eased_clock, holds=result.level is not State.BREACH),
        clear_clock=run(state.clear_clock, holds=result.level is State.OK and result.clear),
    )


def _decide(timing: Timing, moved: MonitorState, result: Result) -> State:
    before = moved.state
    if result.level in BLIND:
        return before if before is State.BREACH else result.level
    if _full(moved.breach_clock, timing.hold):
        return State.BREACH
    if before in BAD and _full(moved.clear_clock, timing.clear_for):
        return State.OK
    if before is State.BREACH:
        return State.WARN if _full(moved.eased_clock, timing.clear_for) else State.BREACH
    if before is State.WARN or _full(moved.bad_clock, timing.hold):
        return State.WARN
    return State.OK if result.level is State.OK else before


def _full(clock: timedelta | None, target: timedelta) -> bool:
    return clock is not None and clock >= target
