"""Durations, ratios, counts and shares as people read them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend import wording

NOW = datetime(2026, 11, 22, 13, 44, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (119, "119 s"),
        (120, "2 min"),
        (42 * 60, "42 min"),
        (7_199, "119 min"),
        (7_200, "2 h"),
        (172_800, "2 d"),
    ],
)
def test_a_duration_is_one_number_and_one_unit(seconds, text):
    assert wording.duration(timedelta(seconds=seconds)) == text


def test_what_is_unknown_is_a_dash():
    assert {wording.duration(None), wording.count(None), wording.percent(None), wording.took(None)} == {"–"}


def test_past_and_future_read_differently():
    assert wording.relative(NOW - timedelta(minutes=4), NOW) == "4 min ago"
    assert wording.relative(NOW + timedelta(minutes=4), NOW) == "in 4 min"
    assert wording.relative(NOW, NOW) == "just now"


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [(42, 15, "2.8x"), (3, 15, "0.2x"), (100_000, 15, ">100x"), (None, 15, ""), (42, None, ""), (42, 0, "")],
)
def test_a_ratio_is_what_people_compare(value, limit, text):
    minutes = [None if each is None else timedelta(minutes=each) for each in (value, limit)]
    assert wording.ratio(*minutes) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.99999, ">99.9 %"), (0.0004, "<0.1 %"), (0.052, "5.2 %"), (0.999, "99.9 %")],
)
def test_a_share_never_rounds_to_the_ends(share, text):
    assert wording.percent(share) == text


@given(st.floats(min_value=1e-9, max_value=1 - 1e-9))
def test_only_none_and_all_read_as_none_and_all(share):
    assert wording.percent(share) not in ("0 %", "100 %", "0.0 %", "100.0 %")


@pytest.mark.parametrize(
    ("number", "text"), [(3_412, "3,412"), (0, "0"), (410.5, "410.5"), (0.0123, "0.012"), (2.0, "2")]
)
def test_counts_have_groups_and_small_rates_keep_digits(number, text):
    assert wording.count(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.32, "320 ms"), (4.1, "4.1 s"), (48, "48 s"), (10_000, "2 h")]
)
def test_a_run_is_told_finer_than_an_age(seconds, text):
    assert wording.took(timedelta(seconds=seconds)) == text


def test_one_thing_has_no_plural():
    assert [wording.amount(n, "view") for n in (0, 1, 3_412)] == ["0 views", "1 view", "3,412 views"]
    assert wording.amount(2, "breach", "breaches") == "2 breaches"
