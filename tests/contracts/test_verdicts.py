"""Laws of verdicts that hold whatever the rows and the terms."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.contracts import ages
from controlplane.contracts.model import Action, Enforcement
from controlplane.contracts.verdicts import Status, StoredRow, Verdict
from controlplane.kernel.durations import to_us
from tests.contracts.lookups import NOW_US, absent_rows, lookups

ORDER = list(Action)


@given(lookups())
def test_the_counts_sum_to_the_values_that_were_asked_for(lookup):
    judgement = lookup.judge()
    assert sum(judgement.counts.values()) == len(lookup.rows) * len(lookup.requested)
    assert set(judgement.counts) == set(Verdict)


@given(lookups())
def test_observing_answers_what_is_stored_and_counts_the_same(lookup):
    enforced, observed = lookup.judge(), lookup.judge(enforcement=Enforcement.OBSERVE)
    assert observed.counts == enforced.counts
    assert observed.rejected_rows == enforced.rejected_rows
    assert not observed.failed
    for row, judged, other in zip(lookup.rows, observed.rows, enforced.rows, strict=True):
        assert not judged.rejected
        for answer, also in zip(judged.features, other.features, strict=True):
            assert (answer.verdict, answer.action) == (also.verdict, also.action)
            stored = row.values.get(answer.name) if isinstance(row, StoredRow) else None
            assert answer.value is None or repr(answer.value) == repr(stored)
            if answer.verdict is Verdict.FRESH:
                assert (answer.status, repr(answer.value)) == (Status.PRESENT, repr(stored))


@given(lookups())
def test_a_rejected_row_answers_nothing(lookup):
    for judged in lookup.judge(enforcement=Enforcement.ENFORCE).rows:
        assert judged.rejected == any(answer.action is Action.REJECT for answer in judged.features)
        if judged.rejected:
            assert all(answer.value is None for answer in judged.features)
            assert all(answer.status is not Status.PRESENT for answer in judged.features)


@given(lookups())
def test_a_value_of_exactly_max_age_is_not_stale_and_one_microsecond_more_is(lookup):
    max_age_us = to_us(lookup.terms.max_age)
    for older, stale in ((0, False), (1, True)):
        rows = [
            replace(row, event_time_us=NOW_US - max_age_us - older, held=True, tombstone=False)
            for row in lookup.rows
            if isinstance(row, StoredRow)
        ]
        for judged in replace(lookup, rows=rows).judge().rows:
            assert judged.age_us == max_age_us + older
            for answer in judged.features:
                if answer.verdict is not Verdict.MISSING:
                    assert (answer.verdict is Verdict.STALE) == stale


@given(lookups(), st.integers(0, 10**15))
def test_an_older_request_time_never_makes_a_value_stale_that_a_later_one_finds_fresh(lookup, later_us):
    now = lookup.judge(now_us=NOW_US)
    # Credible evidence stays credible as time passes, so from here on ages only grow.
    for row, judged in zip(lookup.rows, now.rows, strict=True):
        if judged.age_us is None or not isinstance(row, StoredRow) or row.event_time_us > NOW_US:
            continue
        if any(us > NOW_US for us in lookup.watermarks.values()):
            continue
        later = replace(lookup, rows=[row]).judge(now_us=NOW_US + later_us).rows[0]
        assert later.age_us >= judged.age_us
        for first, second in zip(judged.features, later.features, strict=True):
            if first.verdict is Verdict.STALE:
                assert second.verdict is Verdict.STALE


@given(lookups())
def test_a_stricter_term_never_answers_more(lookup):
    """Reject in place of whatever else: nothing that was withheld before is answered now."""
    terms = replace(lookup.terms, on_stale=Action.REJECT, on_missing=Action.REJECT, on_invalid=Action.REJECT)
    strict = replace(lookup, terms=terms).judge()
    for row, other in zip(lookup.judge().rows, strict.rows, strict=True):
        assert other.rejected >= row.rejected
        for answer, stricter in zip(row.features, other.features, strict=True):
            assert ORDER.index(stricter.action) >= ORDER.index(answer.action)


@given(lookups(), st.randoms())
def test_rows_do_not_influence_each_other(lookup, random):
    rows = list(lookup.rows)
    random.shuffle(rows)
    whole = replace(lookup, rows=rows).judge()
    alone = [replace(lookup, rows=[row]).judge().rows[0] for row in rows]
    assert repr(list(whole.rows)) == repr(alone)


@pytest.mark.parametrize(
    ("rejected", "rows", "limit", "fails"), [(1, 20, 0.05, False), (2, 20, 0.05, True), (0, 0, 0.0, False)]
)
def test_a_request_fails_above_its_limit_only(rejected, rows, limit, fails):
    assert absent_rows(rejected, of=rows, max_rejected=limit).judge().failed == fails


micros = st.integers(-(10**16), 10**16)


@given(event=micros, write=micros, watermark=st.none() | micros, now=micros, held=st.booleans())
def test_an_as_of_is_never_more_than_five_seconds_ahead_and_no_age_is_negative(
    event, write, watermark, now, held
):
    as_of = ages.as_of_us(event, write_time_us=write, watermark_us=watermark, held=held, now_us=now)
    assert as_of is None or as_of <= now + 5_000_000
    assert as_of in (event, write, watermark, None)
    age = ages.age_us(as_of, now_us=now)
    assert age is None or age >= 0
    if held:
        assert as_of == ages.as_of_us(event, write_time_us=write, watermark_us=None, held=False, now_us=now)


@given(event=micros, write=micros, older=micros, newer=micros, now=micros)
def test_a_newer_credible_watermark_never_makes_a_row_older(event, write, older, newer, now):
    older, newer = sorted(min(watermark, now + 5_000_000) for watermark in (older, newer))
    first, second = (
        ages.as_of_us(event, write_time_us=write, watermark_us=watermark, held=False, now_us=now)
        for watermark in (older, newer)
    )
    assert first is None or (second is not None and second >= first)
