"""What each kind of monitor makes of what it measured."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel.errors import Refused
from monitors.domain.kinds import KINDS, Kind, interval_for, measure, resolve
from monitors.domain.measures import Cron, FinishedRun, Inputs, LookupCounts, ProbeSample
from monitors.domain.states import State

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
OK, WARN, BREACH, NO_DATA, UNKNOWN = State
AGE = {"warn": "20m", "limit": "45m"}


def config(kind, document=None):
    default = AGE if KINDS[kind].unit == "age" else {}
    return resolve(kind, default if document is None else document, interval=30 * SECOND)


def probe(**changes):
    fields = {"at": NOW, "sampled": 100, "missing": 0, "invalid": 0, "age_s": 60.0}
    return ProbeSample(**fields | changes)


def seen(kind, document=None, **inputs):
    return measure(kind, config(kind, document), Inputs(now=NOW, **inputs))


@pytest.mark.parametrize(
    ("age_s", "level"),
    [(0, OK), (1_200, OK), (1_200.000001, WARN), (2_700, WARN), (2_700.000001, BREACH)],
)
def test_exactly_at_a_limit_is_still_within_it(age_s, level):
    assert seen(Kind.SERVED_AGE, probe=probe(age_s=age_s)).level is level


@pytest.mark.parametrize(
    ("found", "level"),
    [
        pytest.param(probe(age_s=None), BREACH, id="rows without any evidence of their age are stale"),
        pytest.param(probe(missing=100, age_s=None), NO_DATA, id="no row at all has no age"),
        pytest.param(probe(sampled=0, age_s=None), NO_DATA, id="no keys known"),
        pytest.param(probe(error="store away"), UNKNOWN, id="the store did not answer"),
        pytest.param(probe(at=NOW - 90 * SECOND), UNKNOWN, id="the last probe is three intervals old"),
        pytest.param(probe(at=NOW - 89 * SECOND), OK, id="the last probe is not that old"),
        pytest.param(None, NO_DATA, id="never probed"),
    ],
)
def test_served_age_speaks_only_of_what_was_seen(found, level):
    assert seen(Kind.SERVED_AGE, probe=found).level is level


def test_the_result_says_when_the_age_will_cross_its_limit():
    young = seen(Kind.SERVED_AGE, probe=probe(age_s=1_195))
    assert young.changes_at == NOW + 5 * SECOND + TICK
    late = seen(Kind.SERVED_AGE, probe=probe(age_s=2_000))
    assert late.changes_at == NOW + 700 * SECOND + TICK
    assert seen(Kind.SERVED_AGE, probe=probe(age_s=9_000)).changes_at is None


def test_an_age_tells_how_bad_it_is():
    assert seen(Kind.SERVED_AGE, {"limit": "15m"}, probe=probe(age_s=42 * 60)).reason == (
        "age 42 min of the oldest keys (95th percentile), max 15 min, 2.8x"
    )


@pytest.mark.parametrize(
    ("mark", "level"),
    [
        pytest.param(NOW - 44 * 60 * SECOND, WARN, id="late"),
        pytest.param(NOW - 46 * 60 * SECOND, BREACH, id="stale"),
        pytest.param(NOW + 4 * SECOND, OK, id="a little ahead is a clock that differs"),
        pytest.param(NOW + 6 * SECOND, NO_DATA, id="a watermark from the future hides nothing"),
        pytest.param(None, NO_DATA, id="no watermark"),
    ],
)
def test_source_age_judges_the_watermark_as_it_was_probed(mark, level):
    assert seen(Kind.SOURCE_AGE, AGE | {"lane": "batch"}, probe=probe(), watermark=mark).level is level


def test_source_age_is_unknown_when_nobody_probed_lately():
    assert seen(Kind.SOURCE_AGE, watermark=NOW, probe=probe(at=NOW - 90 * SECOND)).level is UNKNOWN


@pytest.mark.parametrize(
    ("inputs", "level"),
    [
        pytest.param({"probe": probe()}, OK, id="all there"),
        pytest.param({"probe": probe(missing=5)}, OK, id="exactly 5 % missing"),
        pytest.param({"probe": probe(missing=6)}, WARN, id="6 % missing"),
        pytest.param({"probe": probe(missing=20)}, WARN, id="exactly 20 % missing"),
        pytest.param({"probe": probe(missing=21)}, BREACH, id="21 % missing"),
        pytest.param({"probe": probe(sampled=0)}, BREACH, id="no row is left"),
        pytest.param({"ever_written": False}, NO_DATA, id="learning"),
        pytest.param(
            {"ever_written": False, "first_due_by": NOW}, NO_DATA, id="its first run may still come"
        ),
        pytest.param({"ever_written": False, "first_due_by": NOW - TICK}, BREACH, id="never written in time"),
        pytest.param({"probe": probe(sampled=0), "no_keys": "hashes"}, NO_DATA, id="keys that nobody tells"),
    ],
)
def test_coverage_counts_keys_that_should_be_there(inputs, level):
    assert seen(Kind.COVERAGE, **inputs).level is level


@pytest.mark.parametrize(
    ("inputs", "level"),
    [
        pytest.param({"probe": probe(invalid=1)}, OK, id="exactly 1 % invalid"),
        pytest.param({"probe": probe(invalid=6)}, BREACH, id="6 % of rows invalid"),
        pytest.param(
            {"probe": probe(), "lookups": LookupCounts(1_000, 60)}, BREACH, id="6 % of lookups invalid"
        ),
        pytest.param({"probe": probe(), "lookups": LookupCounts(10, 10)}, OK, id="too few lookups to judge"),
        pytest.param({"lookups": LookupCounts(1_000, 0)}, OK, id="lookups speak while probes cannot"),
        pytest.param({}, NO_DATA, id="nobody looked"),
    ],
)
def test_invalid_rate_takes_the_worse_of_probes_and_lookups(inputs, level):
    assert seen(Kind.INVALID_RATE, **inputs).level is level


def test_a_share_clears_at_four_fifths_of_its_lower_limit():
    assert not seen(Kind.COVERAGE, probe=probe(sampled=1_000, missing=45)).clear
    assert seen(Kind.COVERAGE, probe=probe(sampled=1_000, missing=40)).clear
    assert seen(Kind.SERVED_AGE, probe=probe(age_s=1_200)).clear


@pytest.mark.parametrize(("hollow", "level"), [(True, BREACH), (False, OK)])
def test_a_hollow_run_is_a_breach_although_it_succeeded(hollow, level):
    found = seen(Kind.HOLLOW_RUN, finished=FinishedRun("88", hollow=hollow, ended_at=NOW))
    assert found.level is level
    assert "88" in found.reason


def cron(**changes):
    fields = {
        "expression": "*/15 * * * *",
        "timezone": "UTC",
        "grace": timedelta(minutes=5),
        "active_since": NOW - timedelta(days=1),
        "last_started_at": NOW,
        "last_ended_at": NOW + SECOND,
    }
    return Cron(**fields | changes)


def seen_at(at, **inputs):
    return measure(Kind.SCHEDULE, config(Kind.SCHEDULE), Inputs(now=at, **inputs))


@pytest.mark.parametrize(
    ("minutes", "changes", "level"),
    [
        pytest.param(20, {}, OK, id="exactly at the end of the grace"),
        pytest.param(20.001, {}, BREACH, id="past the grace without a start"),
        pytest.param(20.001, {"active_since": NOW + timedelta(minutes=16)}, NO_DATA, id="not due yet"),
        pytest.param(20, {"last_ended_at": None}, OK, id="still running, next not late yet"),
        pytest.param(
            34,
            {"last_started_at": NOW + timedelta(minutes=15), "last_ended_at": None},
            OK,
            id="running while the next may still start",
        ),
        pytest.param(
            36,
            {"last_started_at": NOW + timedelta(minutes=15), "last_ended_at": None},
            BREACH,
            id="did not end before the next was late",
        ),
    ],
)
def test_a_schedule_notices_what_did_not_start_or_end(minutes, changes, level):
    assert seen_at(NOW + timedelta(minutes=minutes), cron=cron(**changes)).level is level


@pytest.mark.parametrize(("ended", "word"), [(None, "did not end"), (NOW + SECOND, "did not start")])
def test_a_late_schedule_says_whether_the_last_run_is_still_at_it(ended, word):
    at = NOW + timedelta(minutes=36)
    late = Inputs(now=at, cron=cron(last_ended_at=ended))
    assert word in measure(Kind.SCHEDULE, config(Kind.SCHEDULE), late).reason


@pytest.mark.parametrize(
    ("since_resumed", "level", "changes_after"),
    [
        pytest.param(timedelta(0), UNKNOWN, timedelta(minutes=5) + TICK, id="the first look"),
        pytest.param(timedelta(minutes=5), UNKNOWN, TICK, id="exactly at the end of the new grace"),
        pytest.param(timedelta(minutes=5) + TICK, BREACH, None, id="past it"),
    ],
)
def test_after_a_gap_in_evaluation_a_run_has_its_grace_anew(since_resumed, level, changes_after):
    at = NOW + timedelta(minutes=36)
    found = seen_at(at, cron=cron(), resumed_at=at - since_resumed)
    assert found.level is level
    assert found.changes_at == (at + changes_after if changes_after else None)


def test_after_a_gap_a_run_that_did_start_needs_no_patience():
    at = NOW + timedelta(minutes=20)
    assert seen_at(at, cron=cron(), resumed_at=at).level is OK


def test_a_schedule_keeps_its_zone_over_the_change_to_winter_time():
    """02:30 in New York on the day the clocks fall back happens once for cron, and 24 h later is 25 h."""
    before = datetime(2026, 10, 31, 6, 31, tzinfo=UTC)  # 02:31 EDT
    daily = cron(
        expression="30 2 * * *",
        timezone="America/New_York",
        active_since=before - timedelta(days=3),
        last_started_at=before,
        last_ended_at=before + SECOND,
    )

    def level(at):
        return measure(Kind.SCHEDULE, config(Kind.SCHEDULE), Inputs(now=at, cron=daily)).level

    due = datetime(2026, 11, 1, 7, 30, tzinfo=UTC)  # 02:30 EST
    assert level(due + timedelta(minutes=5)) is OK
    assert level(due + timedelta(minutes=6)) is BREACH


@pytest.mark.parametrize(
    ("kind", "document", "path"),
    [
        (Kind.SERVED_AGE, {}, "config.limit"),
        (Kind.SERVED_AGE, {"limit": "45"}, "config.limit"),
        (Kind.SERVED_AGE, {"limit": "5m", "warn": "6m"}, "config.warn"),
        (Kind.COVERAGE, {"limit": 1.5}, "config.limit"),
        (Kind.COVERAGE, {"limit": True}, "config.limit"),
        (Kind.COVERAGE, {"min_samples": 0}, "config.min_samples"),
        (Kind.HOLLOW_RUN, {"limit": "5m"}, "config.limit"),
        (Kind.SCHEDULE, {"nonsense": 1}, "config.nonsense"),
    ],
)
def test_a_bad_config_is_refused_with_the_path_of_its_fault(kind, document, path):
    with pytest.raises(Refused) as refused:
        resolve(kind, document, interval=SECOND)
    assert path in [fault.path for fault in refused.value.errors]


@pytest.mark.parametrize(
    ("max_age_s", "seconds"), [(30, 3), (5, 1), (45, 4), (3_600, 30), (301, 30), (None, 30)]
)
def test_a_view_is_looked_at_ten_times_within_its_max_age(max_age_s, seconds):
    max_age = None if max_age_s is None else max_age_s * SECOND
    assert interval_for(max_age, default=30 * SECOND) == seconds * SECOND


@given(st.floats(0, 1e9), st.integers(1, 10**6), st.integers(0, 10**6))
def test_an_older_value_is_never_judged_milder(age, warn, gap):
    document = {"warn": f"{warn}s", "limit": f"{warn + gap}s"}
    order = [OK, WARN, BREACH]
    younger = seen(Kind.SERVED_AGE, document, probe=probe(age_s=age / 2)).level
    assert order.index(younger) <= order.index(seen(Kind.SERVED_AGE, document, probe=probe(age_s=age)).level)
