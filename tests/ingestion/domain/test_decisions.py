"""The pure rules of ingestion, by table and by property."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.contracts.model import Absent, DeleteWhen, Source, SourceKind
from controlplane.ingestion.domain import backoff, breakers, hollow, watermarks
from controlplane.ingestion.domain.changes import Change, Entry, Rules, Seen, classify, event_time_us
from controlplane.ingestion.domain.mapping import at_path, is_delete
from controlplane.ingestion.domain.runs import ENDED, Counts, LineageEvent, RunState, lineage_event
from controlplane.ingestion.domain.streaming import (
    RESTS_US,
    PartitionState,
    is_rest_told,
    redis_position,
    stream_reading,
)
from controlplane.ingestion.domain.watermarks import Reading
from controlplane.kernel.errors import Conflict

TIMES = st.integers(-(2**50), 2**50)
IDLE = st.none() | st.integers(0, 2**40)
READINGS = st.builds(
    Reading, source=st.just("s"), read_start_us=TIMES, progress_us=st.none() | TIMES, max_idle_us=IDLE
)


class TestWatermarks:
    @pytest.mark.parametrize(
        ("read_start", "progress", "idle", "expected"),
        [
            (100, 95, 0, 95),
            (100, 95, 5, 100),
            (100, 95, 4, 99),
            (100, 95, 50, 100),
            (100, 95, None, 100),
            (100, 120, 0, 100),
            (100, None, None, None),
            (100, None, 5, None),
        ],
    )
    def test_it_is_the_lesser_of_read_start_and_progress_with_max_idle(
        self, read_start, progress, idle, expected
    ):
        assert watermarks.provable_us([Reading("s", read_start, progress, idle)], rows_read=1) == expected

    def test_nothing_read_proves_nothing(self):
        assert watermarks.provable_us([Reading("s", 100, 95, 0)], rows_read=0) is None

    def test_no_source_proves_nothing(self):
        assert watermarks.provable_us([], rows_read=1) is None

    @given(st.lists(READINGS, min_size=1))
    def test_it_never_proves_more_than_any_source_or_than_the_moment_of_reading(self, readings):
        proven = watermarks.provable_us(readings, rows_read=1)
        if proven is None:
            assert any(reading.progress_us is None for reading in readings)
        for reading in readings if proven is not None else ():
            assert proven <= reading.read_start_us
            if reading.max_idle_us is not None:
                assert proven <= reading.progress_us + reading.max_idle_us

    @given(st.none() | TIMES, st.lists(st.none() | TIMES))
    def test_it_never_moves_back(self, before, proofs):
        at = before
        for proof in proofs:
            after = watermarks.advance(at, proof)
            assert at is None or after >= at
            at = after

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            (Source("s", SourceKind.PARQUET, event_time="t"), 0),
            (Source("s", SourceKind.PARQUET), None),
            (Source("s", SourceKind.PARQUET, event_time="t", max_idle="unlimited"), None),
            (Source("s", SourceKind.PARQUET, max_idle=timedelta(seconds=2)), 2_000_000),
            (Source("s", SourceKind.STREAM, event_time="t"), 300_000_000),
            (Source("s", SourceKind.STREAM, max_idle="unlimited"), None),
        ],
    )
    def test_how_long_a_source_may_rest_unless_it_says(self, source, expected):
        assert watermarks.max_idle_us(source, strictest_warn_after=timedelta(minutes=5)) == expected

    @given(st.lists(TIMES), TIMES)
    def test_heartbeats_give_the_least_and_never_the_future(self, beats, now):
        found = watermarks.heartbeat_us(beats, now_us=now)
        assert found == (min(*beats, now + 5_000_000) if beats else None)


class TestStreams:
    @given(
        st.lists(
            st.builds(
                PartitionState,
                is_at_end=st.booleans(),
                read_us=TIMES,
                consumed_us=st.none() | TIMES,
                newest_arrival_us=st.none() | TIMES,
            )
        ),
        IDLE,
    )
    def test_a_partition_that_is_behind_holds_the_whole_stream(self, partitions, idle):
        reading = stream_reading("s", partitions, max_idle_us=idle)
        if reading is None:
            assert not partitions or any(p.complete_us is None for p in partitions)
            return
        for partition in partitions:
            assert reading.read_start_us <= (
                partition.read_us if partition.is_at_end else partition.consumed_us
            )

    @given(st.integers(0, 2**41), st.integers(0, 2**64 - 1), st.integers(0, 2**41), st.integers(0, 2**20 - 1))
    def test_positions_of_redis_ids_keep_their_order_and_fit(self, ms_a, seq_a, ms_b, seq_b):
        a, b = redis_position(ms_a, seq_a), redis_position(ms_b, seq_b)
        assert 0 <= a < 2**62
        if ms_a != ms_b:
            assert (a < b) == (ms_a < ms_b)


SEEN = st.none() | st.builds(Seen, digest=st.integers(0, 3), event_us=st.integers(0, 9))
ENTRY = st.none() | st.builds(
    Entry,
    digest=st.none() | st.integers(0, 3),
    event_us=st.integers(0, 9),
    written_us=st.integers(0, 9),
    removed=st.booleans(),
)
RULES = st.builds(
    Rules,
    absent=st.sampled_from(Absent),
    full=st.booleans(),
    any_rows=st.booleans(),
    refresh_before_us=st.none() | st.integers(0, 9),
    forget_before_us=st.integers(0, 9),
)


class TestChanges:
    @pytest.mark.parametrize(
        ("seen", "entry", "touched", "expected"),
        [
            (Seen(1, 5), None, False, Change.ADDED),
            (Seen(1, 5), Entry(1, 5, 0), False, Change.UNCHANGED),
            (Seen(1, 9), Entry(1, 5, 0), False, Change.UNCHANGED),
            (Seen(2, 5), Entry(1, 5, 0), False, Change.CHANGED),
            (Seen(1, 5), Entry(1, 5, 0), True, Change.CHANGED),
            (Seen(1, 5), Entry(None, 5, 0), False, Change.CHANGED),
            (Seen(1, 5), Entry(None, 5, 0, removed=True), False, Change.ADDED),
            (None, Entry(1, 5, 0), False, Change.REMOVED),
            (None, Entry(None, 5, 0, removed=True), False, Change.GONE),
            (None, None, True, None),
        ],
    )
    def test_what_a_run_does_with_a_key(self, seen, entry, touched, expected):
        assert classify(seen, entry, touched=touched, rules=Rules()) is expected

    @given(SEEN, ENTRY, st.booleans(), RULES)
    def test_a_key_is_left_alone_only_when_the_store_is_known_to_have_its_value(
        self, seen, entry, touched, rules
    ):
        change = classify(seen, entry, touched=touched, rules=rules)
        if seen is not None and change is Change.UNCHANGED:
            assert entry is not None and entry.digest == seen.digest
            assert not (touched or rules.full or entry.removed)

    @given(SEEN, ENTRY, st.booleans(), RULES)
    def test_nothing_is_removed_by_a_run_that_read_nothing_or_keeps_the_absent(
        self, seen, entry, touched, rules
    ):
        for kept in (replace(rules, any_rows=False), replace(rules, absent=Absent.KEEP)):
            assert classify(seen, entry, touched=touched, rules=kept) is not Change.REMOVED

    @given(SEEN, ENTRY, st.booleans(), RULES)
    def test_within_the_lane_a_written_row_is_never_older_than_the_last(self, seen, entry, touched, rules):
        change = classify(seen, entry, touched=touched, rules=rules)
        if change in (Change.ADDED, Change.CHANGED, Change.REMOVED, Change.REFRESHED) and entry is not None:
            assert event_time_us(change, seen, entry) >= entry.event_us


OUTLOOK = breakers.Outlook(read=10_000, refused=0, removed=0, changed=0, known=10_000)
LIMITS = breakers.Limits(max_refused=0.05, max_removed=0.10, max_changed=None)


class TestBreakers:
    @pytest.mark.parametrize(
        ("outlook", "limits", "what"),
        [
            ({}, {}, None),
            ({"refused": 500}, {}, None),
            ({"refused": 501}, {}, "refused"),
            ({"refused": 19, "read": 20}, {}, None),
            ({"refused": 20, "read": 20}, {}, "refused"),
            ({"refused": 20, "read": 20}, {"max_refused": None}, None),
            ({"removed": 1_000}, {}, None),
            ({"removed": 1_001}, {}, "removed"),
            ({"removed": 1_000, "known": 1_000}, {}, None),
            ({"removed": 1_001, "known": 1_001}, {}, "removed"),
            ({"removed": 9_000, "is_full": True}, {}, "removed"),
            ({"changed": 10_000}, {}, None),
            ({"changed": 5_001}, {"max_changed": 0.5}, "changed"),
            ({"changed": 5_000}, {"max_changed": 0.5}, None),
            ({"changed": 9_000, "is_first": True}, {"max_changed": 0.5}, None),
            ({"changed": 9_000, "is_full": True}, {"max_changed": 0.5}, None),
            ({"changed": 9_000, "is_new_layout": True}, {"max_changed": 0.5}, None),
        ],
    )
    def test_a_run_is_held_past_a_limit_and_not_at_it(self, outlook, limits, what):
        why = breakers.tripped(replace(LIMITS, **limits), replace(OUTLOOK, **outlook))
        assert (why is None) if what is None else (f"would be {what}" in why)


class TestHollow:
    EVIDENCE = hollow.Evidence(
        rows_read=10,
        expected_rows=10,
        newest_event_us=50,
        newest_before_us=50,
        moved_at_us=100,
        now_us=120,
        explained_us=20,
    )

    @pytest.mark.parametrize(
        ("change", "is_hollow"),
        [
            ({}, False),
            ({"now_us": 121}, True),
            ({"now_us": 121, "newest_event_us": 51}, False),
            ({"now_us": 121, "newest_before_us": None}, False),
            ({"rows_read": 0}, True),
            ({"rows_read": 0, "expected_rows": 0}, False),
        ],
    )
    def test_a_run_without_effect_is_told(self, change, is_hollow):
        assert (hollow.why_hollow(replace(self.EVIDENCE, **change)) is not None) == is_hollow


class TestRuns:
    @pytest.mark.parametrize("before", [*RunState, None])
    @pytest.mark.parametrize("after", RunState)
    def test_what_has_ended_never_moves_again(self, before, after):
        if before in ENDED:
            with pytest.raises(Conflict):
                lineage_event(before, after, started=True)

    @given(st.lists(st.sampled_from(RunState), max_size=8))
    def test_lineage_hears_one_start_and_at_most_one_end_after_it(self, moves):
        told, state, started = [], None, False
        for after in moves:
            try:
                event = lineage_event(state, after, started=started)
            except Conflict:
                continue
            state, started = after, started or event is LineageEvent.START
            told += [event] if event else []
        assert told.count(LineageEvent.START) <= 1
        ends = [e for e in told if e in (LineageEvent.COMPLETE, LineageEvent.FAIL, LineageEvent.ABORT)]
        assert len(ends) <= 1
        assert not ends or told[-1] is ends[0]
        if LineageEvent.START in told:
            assert told[0] is LineageEvent.START

    @given(st.lists(st.builds(Counts, read=st.integers(0, 9), written=st.integers(0, 9))))
    def test_counts_add_up(self, parts):
        total = sum(parts, Counts())
        assert total.read == sum(part.read for part in parts)
        assert total.as_dict()["written"] == sum(part.written for part in parts)


class TestBackoff:
    @given(st.integers(1, 50), st.floats(0, 1))
    def test_waits_grow_within_bounds_and_end(self, attempt, jitter):
        delay = backoff.retry_delay(attempt, jitter=jitter)
        if attempt >= backoff.MAX_ATTEMPTS:
            assert delay is None
        else:
            assert timedelta(seconds=1) <= delay <= backoff.LONGEST

    @given(st.integers(0, 10_000))
    def test_an_event_is_never_given_up(self, attempt):
        assert timedelta(0) < backoff.emit_delay(attempt) <= backoff.LONGEST


class TestMapping:
    @pytest.mark.parametrize(
        ("path", "expected"),
        [("a", {"b": 1}), ("a.b", 1), ("a.c", None), ("a.b.c", None), ("x.y", 2), ("", None), ("l.0", None)],
    )
    def test_paths_lead_into_nested_objects(self, path, expected):
        assert at_path({"a": {"b": 1}, "x.y": 2, "x": {"y": 3}, "l": [1]}, path) == expected

    @pytest.mark.parametrize(
        ("document", "equals", "expected"),
        [
            ({"op": "d"}, "d", True),
            ({"op": "u"}, "d", False),
            ({}, "d", False),
            ({"op": 1}, True, False),
            ({"op": True}, 1, False),
            ({"op": True}, True, True),
        ],
    )
    def test_a_delete_is_told_by_value_and_type(self, document, equals, expected):
        assert is_delete(document, DeleteWhen("op", equals)) is expected


@given(bad=st.integers(2 * RESTS_US, 2**45), gaps=st.lists(st.floats(0.01, 0.1), min_size=1, max_size=20))
def test_a_source_that_rests_was_told_of_in_the_second_half_of_the_time_until_a_contract_breaks(bad, gaps):
    """However long that time is, and however irregularly it was looked at; and told is not every look."""
    rested, told, looks, times = 0, 0, 0, 0
    while rested <= bad:
        if is_rest_told(rested_us=rested, told_us=told):
            told, times = rested, times + 1
        rested += int(gaps[looks % len(gaps)] * max(rested, RESTS_US))
        looks += 1
    assert told > bad - told
    assert times <= 40


def test_a_source_that_moves_is_not_told_of():
    assert not is_rest_told(rested_us=RESTS_US - 1, told_us=0)
    assert is_rest_told(rested_us=RESTS_US, told_us=0)
    assert not is_rest_told(rested_us=RESTS_US + 1, told_us=RESTS_US)
