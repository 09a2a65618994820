"""Buckets of age: bounds, shares, quantiles; by table and against the exact answer."""

import math
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.observations.domain.ages import FACTOR, LAST, bucket_of, quantile, share_over, upper_bound

KNOWN = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=29))
AGES = st.lists(KNOWN, min_size=1, max_size=60)


def counted(ages):
    return Counter(bucket_of(age) for age in ages)


@pytest.mark.parametrize(
    ("age", "bucket"),
    [
        (timedelta(0), 0),
        (timedelta(milliseconds=100), 0),
        (timedelta(milliseconds=101), 1),
        (timedelta(milliseconds=125), 1),
        (timedelta(seconds=1), 11),
        (timedelta(minutes=45), 46),
        (timedelta(days=400), LAST),
        (timedelta.max, LAST),
    ],
)
def test_an_age_lies_in_its_bucket(age, bucket):
    assert bucket_of(age) == bucket


@given(KNOWN)
def test_a_bucket_holds_ages_up_to_its_bound_and_above_the_one_before(age):
    bucket = bucket_of(age)
    slack = timedelta(microseconds=2)
    assert age <= upper_bound(bucket) + slack
    assert bucket == 0 or age >= upper_bound(bucket - 1) - slack


@given(AGES, KNOWN)
def test_the_share_over_never_exceeds_the_truth_and_misses_at_most_a_quarter(ages, limit):
    truth = sum(age > limit for age in ages) / len(ages)
    certain = sum(age > limit * (FACTOR * 1.001) + timedelta(milliseconds=101) for age in ages) / len(ages)
    share = share_over(counted(ages), limit - timedelta(microseconds=2))
    assert certain <= share
    assert share_over(counted(ages), limit) <= truth


@given(AGES, st.floats(min_value=0, max_value=1))
def test_a_quantile_is_not_below_the_truth_and_at_most_a_quarter_above(ages, q):
    exact = sorted(ages)[max(0, math.ceil(q * len(ages)) - 1)]
    found = quantile(counted(ages), q)
    assert exact - timedelta(microseconds=2) <= found
    assert found <= max(exact * (FACTOR * 1.001), timedelta(milliseconds=100))


def test_what_nobody_knows_is_over_every_limit():
    assert share_over({LAST: 1}, timedelta(days=30)) == 1
    assert quantile({0: 1, LAST: 1}, 1.0) == timedelta.max
    assert quantile({0: 1, LAST: 1}, 0.5) == upper_bound(0)


def test_without_rows_there_is_no_answer():
    assert share_over({}, timedelta(seconds=1)) is None
    assert quantile({}, 0.5) is None
