"""A monitor's state machine: tables of rules, and what holds for every sequence of results."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.domain.states import (
    BLIND,
    GAP_INTERVALS,
    MonitorState,
    Result,
    State,
    Timing,
    is_overdue,
    next_due,
    rearmed,
    released,
    restarted,
    step,
)

T0 = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TIMING = Timing(interval=10 * SECOND, hold=20 * SECOND, clear_for=20 * SECOND)
OK, WARN, BREACH, NO_DATA, UNKNOWN = State


def result(second, level, *, clear=None, changes_at=None):
    return Result(
        at=T0 + second * SECOND,
        level=level,
        clear=level is OK if clear is None else clear,
        value=1.0,
        reason=level.value,
        changes_at=changes_at,
    )


def run(results, *, timing=TIMING, state=None):
    """Apply results one after the other; return the states after each, and all changes."""
    state = state or MonitorState()
    states, changes = [], []
    for one in results:
        state, changed = step(timing, state, one, now=max(one.at, state.last_at or one.at))
        states.append(state)
        changes.extend(changed)
    return states, changes


def every_ten_seconds(*levels):
    return [result(10 * n, level) for n, level in enumerate(levels)]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        pytest.param([OK], [OK], id="the first good result is believed at once"),
        pytest.param([BREACH, BREACH], [NO_DATA, NO_DATA], id="a breach is not believed before its time"),
        pytest.param([OK, BREACH, BREACH, BREACH], [OK, OK, OK, BREACH], id="a breach holds for 20 s"),
        pytest.param([OK, WARN, WARN, WARN], [OK, OK, OK, WARN], id="a warning holds for 20 s"),
        pytest.param(
            [OK, BREACH, OK, BREACH, BREACH], [OK, OK, OK, OK, OK], id="one good result begins anew"
        ),
        pytest.param(
            [OK, WARN, BREACH, BREACH, BREACH],
            [OK, OK, OK, WARN, BREACH],
            id="time in breach counts for warn, time in warn not for breach",
        ),
        pytest.param(
            [OK, BREACH, BREACH, BREACH, OK, OK, OK],
            [OK, OK, OK, BREACH, BREACH, BREACH, OK],
            id="a breach ends after 20 s under the clear limit",
        ),
        pytest.param(
            [OK, BREACH, BREACH, BREACH, WARN, WARN, WARN],
            [OK, OK, OK, BREACH, BREACH, BREACH, WARN],
            id="a breach eases to a warning",
        ),
        pytest.param(
            [OK, BREACH, BREACH, BREACH, NO_DATA, UNKNOWN, NO_DATA, UNKNOWN],
            [OK, OK, OK, BREACH, BREACH, BREACH, BREACH, BREACH],
            id="no data and unknown never end a breach",
        ),
        pytest.param([OK, NO_DATA, OK], [OK, NO_DATA, OK], id="blindness shows at once, sight too"),
        pytest.param(
            [OK, BREACH, NO_DATA, BREACH, BREACH, BREACH],
            [OK, OK, NO_DATA, NO_DATA, NO_DATA, BREACH],
            id="blindness stops the clock and does not begin it anew",
        ),
        pytest.param(
            [OK, BREACH, BREACH, BREACH, OK, NO_DATA, OK, OK, OK],
            [OK, OK, OK, BREACH, BREACH, BREACH, BREACH, BREACH, OK],
            id="blindness stops the clock of recovery, too",
        ),
    ],
)
def test_a_level_becomes_a_state(levels, expected):
    states, _ = run(every_ten_seconds(*levels))
    assert [state.state for state in states] == expected


def test_between_warn_and_clear_limit_nothing_ends():
    broken = run(every_ten_seconds(OK, BREACH, BREACH, BREACH))[0][-1]
    states, _ = run([result(40 + 10 * n, OK, clear=False) for n in range(20)], state=broken)
    assert {state.state for state in states} == {BREACH, WARN}
    assert states[-1].state is WARN


def test_a_gap_in_evaluation_stops_the_clocks():
    results = [result(0, OK), result(10, BREACH), result(500, BREACH), result(510, BREACH)]
    states, changes = run(results)
    assert [state.state for state in states] == [OK, OK, OK, OK]
    states, changes = run([result(520, BREACH)], state=states[-1])
    assert states[-1].state is BREACH
    assert [change.after for change in changes] == [BREACH]


def test_what_is_not_overdue_yet_is_no_gap():
    states, _ = run([result(0, OK), result(10, BREACH), result(40, BREACH)])
    assert states[-1].state is BREACH
    assert is_overdue(TIMING, T0 + 10 * SECOND, now=T0 + 40 * SECOND)


def test_a_late_result_is_dropped():
    state = run(every_ten_seconds(OK, OK))[0][-1]
    assert step(TIMING, state, result(5, BREACH), now=T0 + 60 * SECOND) == (state, ())
    assert step(TIMING, state, result(10, BREACH), now=T0 + 60 * SECOND) == (state, ())


def test_a_result_from_the_future_counts_as_of_now():
    state, _ = step(TIMING, MonitorState(), result(3_600, OK), now=T0)
    assert state.last_at == T0
    state, _ = step(TIMING, state, result(10, BREACH), now=T0 + 10 * SECOND)
    assert state.level is BREACH


def test_an_edited_limit_begins_what_is_pending_anew_and_resolves_nothing():
    pending = run(every_ten_seconds(OK, BREACH, BREACH))[0][-1]
    assert run([result(30, BREACH)], state=restarted(pending))[0][-1].state is OK
    broken = run([result(30, BREACH)], state=pending)[0][-1]
    assert restarted(broken).state is BREACH


def test_after_a_person_resolved_it_the_next_failing_result_breaches_again():
    broken = run(every_ten_seconds(OK, BREACH, BREACH, BREACH))[0][-1]
    again, changes = run([result(40, BREACH)], state=rearmed(TIMING, broken))
    assert again[-1].state is BREACH
    assert [change.after for change in changes] == [BREACH]
    assert run([result(40, OK)], state=rearmed(TIMING, broken))[0][-1].state is OK


def test_what_resolved_unseen_is_not_called_healthy():
    blind = run(every_ten_seconds(OK, BREACH, BREACH, BREACH, NO_DATA))[0][-1]
    assert released(blind).state is NO_DATA


@pytest.mark.parametrize(
    ("results", "seconds"),
    [
        pytest.param([result(0, OK)], 10, id="at the interval"),
        pytest.param(
            [result(0, OK, changes_at=T0 + 4 * SECOND)], 4, id="when the level would change by itself"
        ),
        pytest.param([result(0, OK, changes_at=T0 + 40 * SECOND)], 10, id="not later than the interval"),
    ],
)
def test_a_monitor_is_due(results, seconds):
    state = run(results)[0][-1]
    now = results[-1].at
    assert next_due(TIMING, state, results[-1], now=now) == now + seconds * SECOND


def test_a_pending_breach_is_due_when_its_time_is_over():
    timing = Timing(interval=10 * SECOND, hold=13 * SECOND, clear_for=20 * SECOND)
    results = [result(0, OK), result(5, BREACH), result(12, BREACH)]
    state = run(results, timing=timing)[0][-1]
    due = next_due(timing, state, results[-1], now=results[-1].at)
    assert due == T0 + 18 * SECOND
    assert run([result(18, BREACH)], timing=timing, state=state)[0][-1].state is BREACH


def test_three_intervals_without_a_word_are_overdue_exactly_then():
    assert not is_overdue(TIMING, T0, now=T0 + 30 * SECOND - timedelta(microseconds=1))
    assert is_overdue(TIMING, T0, now=T0 + 30 * SECOND)
    assert is_overdue(TIMING, None, now=T0)


LEVELS = st.sampled_from(State)
STEPS = st.lists(st.tuples(st.integers(-5, 60), LEVELS, st.booleans()), max_size=60)


def results_of(steps):
    at, found = 0, []
    for gap, level, clear in steps:
        at += gap
        found.append(result(at, level, clear=clear and level is OK))
    return found


@given(STEPS)
def test_blindness_never_ends_a_breach_or_begins_one(steps):
    state = MonitorState()
    for one in results_of(steps):
        after, _ = step(TIMING, state, one, now=max(one.at, state.last_at or one.at))
        if one.level in BLIND:
            assert (after.state is BREACH) == (state.state is BREACH)
        state = after


@given(STEPS)
def test_a_breach_needs_its_whole_time_in_sight(steps):
    """Every change into breach is preceded by results in breach that cover ``hold`` without a gap."""
    state, applied = MonitorState(), []
    for one in results_of(steps):
        after, changes = step(TIMING, state, one, now=max(one.at, state.last_at or one.at))
        if after is not state:
            applied.append(one)
        if any(change.after is BREACH for change in changes):
            assert watched_time(applied, lambda r: r.level is BREACH) >= TIMING.hold
        if any(change.before is BREACH and change.after is OK for change in changes):
            assert watched_time(applied, lambda r: r.level is OK and r.clear) >= TIMING.clear_for
        state = after


def watched_time(applied, holds):
    total = timedelta(0)
    for later, earlier in zip(reversed(applied), list(reversed(applied))[1:], strict=False):
        if later.level not in BLIND and not holds(later):
            break
        if earlier.level not in BLIND and not holds(earlier):
            break
        gap = later.at - earlier.at
        if not {later.level, earlier.level} & BLIND and gap <= GAP_INTERVALS * TIMING.interval:
            total += gap
    return total


@given(STEPS)
def test_replaying_the_results_gives_the_same_states_and_changes(steps):
    results = results_of(steps)
    states, changes = run(results)
    assert run(results) == (states, changes)
    kept = [one for one, state in zip(results, states, strict=True) if state.last_at == one.at]
    replayed, again = run(list(dict.fromkeys(kept)))
    assert again == changes
    assert not states or replayed[-1] == states[-1]


@given(STEPS)
def test_changes_chain_and_next_due_lies_ahead(steps):
    state = MonitorState()
    for one in results_of(steps):
        now = max(one.at, state.last_at or one.at)
        after, changes = step(TIMING, state, one, now=now)
        for change in changes:
            assert (change.before, change.after) == (state.state, after.state)
            assert change.before is not change.after
        assert now < next_due(TIMING, after, one, now=now) <= now + TIMING.interval
        state = after
