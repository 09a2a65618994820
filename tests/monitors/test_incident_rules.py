"""When incidents open, reopen and end; how bad they are; what health says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.domain.health import Health, HealthState, Reading, judge
from monitors.domain.incidents import (
    Evidence,
    Family,
    Placement,
    Severity,
    is_flapping,
    may_resolve,
    place,
    severity_of,
    worst,
)
from monitors.domain.states import State, Timing

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
OK, WARN, BREACH, NO_DATA, UNKNOWN = State
CLEAR_FOR = 20 * SECOND


@pytest.mark.parametrize(
    ("has_open", "resolved_ago", "expected"),
    [
        (True, None, Placement.ATTACH),
        (True, MINUTE, Placement.ATTACH),
        (False, None, Placement.OPEN),
        (False, 30 * MINUTE, Placement.REOPEN),
        (False, 30 * MINUTE + TICK, Placement.OPEN),
    ],
)
def test_a_breach_is_placed(has_open, resolved_ago, expected):
    resolved_at = None if resolved_ago is None else NOW - resolved_ago
    assert place(has_open=has_open, last_resolved_at=resolved_at, now=NOW) is expected


@pytest.mark.parametrize(
    ("family", "gold", "rejecting", "expected"),
    [
        (Family.FRESHNESS, True, False, Severity.CRITICAL),
        (Family.FRESHNESS, False, True, Severity.CRITICAL),
        (Family.PRESENCE, False, False, Severity.WARNING),
        (Family.META, True, True, Severity.INFO),
    ],
)
def test_a_breach_is_as_bad_as_its_view_and_its_readers(family, gold, rejecting, expected):
    assert severity_of(family, is_gold=gold, has_rejecting_service=rejecting) is expected
    assert worst([Severity.INFO, expected]) is expected


def seen(state, *, level=None, ago=MINUTE):
    return Evidence(state, state if level is None else level, NOW - ago)


@pytest.mark.parametrize(
    ("evidence", "witness", "expected"),
    [
        pytest.param([seen(OK)], seen(OK), True, id="all well"),
        pytest.param([seen(OK)], None, True, id="nothing to probe at all"),
        pytest.param([seen(OK)], seen(NO_DATA), True, id="no keys to probe"),
        pytest.param([seen(OK), seen(BREACH)], seen(OK), False, id="one is still bad"),
        pytest.param([seen(WARN)], seen(OK), False, id="a warning is not over"),
        pytest.param([seen(OK)], seen(BREACH), False, id="the job is well, the probes are not"),
        pytest.param([seen(OK)], seen(UNKNOWN), False, id="the probes fail"),
        pytest.param([seen(BREACH, level=NO_DATA)], seen(OK), True, id="traffic stopped, probes good"),
        pytest.param(
            [seen(BREACH, level=NO_DATA)], seen(OK, ago=19 * SECOND), False, id="probes good, not long enough"
        ),
        pytest.param([seen(BREACH, level=NO_DATA)], None, False, id="traffic stopped, nobody probes"),
        pytest.param([seen(BREACH, level=UNKNOWN)], seen(OK), False, id="unknown never resolves"),
        pytest.param([seen(UNKNOWN)], seen(OK), False, id="unknown, and never a breach of its own"),
        pytest.param([], None, True, id="no monitor is left"),
    ],
)
def test_an_incident_is_over(evidence, witness, expected):
    over = may_resolve(evidence, witness, clear_for=CLEAR_FOR, flapping=False, now=NOW)
    assert over is expected


def test_a_flapping_incident_waits_four_times_as_long():
    def over(ago):
        return may_resolve(
            [seen(OK, ago=ago)], seen(OK, ago=ago), clear_for=CLEAR_FOR, flapping=True, now=NOW
        )

    # Its monitor turned ok when 20 s had been clear; 60 s more make four times that.
    assert not over(60 * SECOND - TICK)
    assert over(60 * SECOND)


@pytest.mark.parametrize(
    ("ages", "expected"),
    [((1, 20, 59), True), ((1, 20), False), ((1, 20, 60), False), ((1, 2, 3, 200), True)],
)
def test_three_opens_within_an_hour_are_flapping(ages, expected):
    assert is_flapping([NOW - age * MINUTE for age in ages], now=NOW) is expected


@given(
    st.lists(st.tuples(st.sampled_from(State), st.sampled_from(State)), min_size=1),
    st.none() | st.sampled_from(State),
    st.booleans(),
)
def test_nothing_that_is_seen_bad_or_not_seen_at_all_is_ever_over(pairs, witness, flapping):
    evidence = [seen(state, level=level, ago=timedelta(days=1)) for state, level in pairs]
    looking = None if witness is None else seen(witness, ago=timedelta(days=1))
    if may_resolve(evidence, looking, clear_for=CLEAR_FOR, flapping=flapping, now=NOW):
        assert all(one.state is OK or one.level is NO_DATA for one in evidence)
        assert looking is None or looking.state in (OK, NO_DATA)


TIMING = Timing(interval=10 * SECOND, hold=20 * SECOND, clear_for=20 * SECOND)


def reading(family, state, *, heard=SECOND, since=MINUTE, sees_age=True, paused=False):
    return Reading(family, TIMING, state, NOW - since, NOW - heard, f"{family} {state}", sees_age, paused)


FRESH, PRESENCE, VALIDITY = Family.FRESHNESS, Family.PRESENCE, Family.VALIDITY
GOOD = reading(FRESH, OK)


@pytest.mark.parametrize(
    ("readings", "paused", "learning", "expected"),
    [
        pytest.param([GOOD, reading(PRESENCE, OK)], False, False, "fresh", id="fresh"),
        pytest.param([reading(FRESH, WARN)], False, False, "late", id="late"),
        pytest.param([reading(FRESH, BREACH)], False, False, "stale", id="stale"),
        pytest.param([GOOD, reading(VALIDITY, BREACH)], False, False, "violating", id="violating"),
        pytest.param(
            [reading(FRESH, BREACH), reading(VALIDITY, BREACH), reading(PRESENCE, BREACH)],
            False,
            False,
            "missing",
            id="missing is the worst",
        ),
        pytest.param(
            [reading(FRESH, BREACH), reading(VALIDITY, BREACH)], False, False, "stale", id="stale first"
        ),
        pytest.param(
            [GOOD, reading(VALIDITY, WARN)], False, False, "fresh", id="other warnings change nothing"
        ),
        pytest.param([reading(FRESH, NO_DATA)], False, False, "no_data", id="nothing to judge"),
        pytest.param([GOOD, reading(FRESH, NO_DATA)], False, False, "fresh", id="one of them sees"),
        pytest.param([reading(FRESH, OK, heard=30 * SECOND)], False, False, "no_data", id="overdue"),
        pytest.param(
            [reading(FRESH, OK, heard=30 * SECOND - TICK)], False, False, "fresh", id="nearly overdue"
        ),
        pytest.param(
            [reading(FRESH, WARN, heard=30 * SECOND)], False, False, "no_data", id="late, and nobody looks"
        ),
        pytest.param(
            [reading(FRESH, BREACH, heard=MINUTE)], False, False, "stale", id="a breach outlives the watcher"
        ),
        pytest.param(
            [reading(FRESH, UNKNOWN), reading(FRESH, OK, sees_age=False)],
            False,
            False,
            "no_data",
            id="a good run vouches for no value",
        ),
        pytest.param(
            [reading(FRESH, OK, sees_age=False)],
            False,
            False,
            "fresh",
            id="no age is promised, and runs go well",
        ),
        pytest.param(
            [GOOD, reading(FRESH, BREACH, sees_age=False)], False, False, "stale", id="a run may be a breach"
        ),
        pytest.param([GOOD], False, True, "no_data", id="learning"),
        pytest.param([reading(PRESENCE, BREACH)], False, True, "missing", id="never written in time"),
        pytest.param([reading(FRESH, BREACH)], True, False, "paused", id="paused"),
        pytest.param(
            [reading(FRESH, OK, paused=True)], False, False, "no_data", id="its monitors are paused"
        ),
        pytest.param([], False, False, "no_data", id="nobody watches"),
    ],
)
def test_health_is_the_worst_of_what_is_seen(readings, paused, learning, expected):
    assert judge(readings, paused=paused, learning=learning, now=NOW).state == expected


@given(
    st.lists(
        st.builds(
            reading,
            st.sampled_from([FRESH, PRESENCE, VALIDITY]),
            st.sampled_from(State),
            heard=st.integers(30, 10_000).map(lambda s: s * SECOND),
        )
    )
)
def test_three_intervals_after_the_last_evaluation_nothing_is_fresh_or_late(readings):
    found: Health = judge(readings, paused=False, learning=False, now=NOW)
    assert found.state not in (HealthState.FRESH, HealthState.LATE)
