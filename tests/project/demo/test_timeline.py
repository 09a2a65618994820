"""2013 played 360 times as fast, for ever."""

import json
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel import clock
from controlplane.project.demo.timeline import DAY, HOUR, SPEED, Timeline, anchor_of
from tests.project.demo.story import NOW

LENGTH = 8_714 * 3_600_000_000
BEGIN = 3_680 * 3_600_000_000
TIMELINE = Timeline(clock.to_us(NOW), BEGIN, LENGTH)


def test_an_hour_takes_ten_seconds_and_a_day_four_minutes():
    assert (timedelta(seconds=10), timedelta(minutes=4)) == (HOUR, DAY)


def test_laps_follow_each_other_without_a_gap():
    starts = [TIMELINE.start_of(lap) for lap in range(4)]
    assert {after - before for before, after in pairwise(starts)} == {LENGTH // SPEED}
    assert starts[0] == clock.to_us(NOW) - BEGIN // SPEED


@pytest.mark.parametrize(
    ("after_hours", "until_hours", "laps"),
    [
        (-3_680, 0, [0]),
        (-10_000, 0, [0]),  # before the data begins there is no lap
        (0, 5_033, [0]),
        (5_033, 5_035, [0, 1]),
        (5_035, 5_036, [1]),
    ],
)
def test_a_span_of_time_has_the_laps_that_it_touches(after_hours, until_hours, laps):
    assert list(TIMELINE.laps(NOW + after_hours * HOUR, NOW + until_hours * HOUR)) == laps


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_hours_only_grow(seconds, later):
    before = TIMELINE.hours_at(NOW + timedelta(seconds=seconds))
    after = TIMELINE.hours_at(NOW + timedelta(seconds=seconds + later))
    assert after - before in (later // 10, later // 10 + 1)


def test_the_anchor_is_kept_and_hours_strike_between_runs_of_a_ten_second_schedule(tmp_path):
    path = tmp_path / "demo" / "timeline.json"
    anchor_us = anchor_of(path, now=NOW + timedelta(seconds=12.3))
    assert clock.from_us(anchor_us) == NOW + timedelta(seconds=7)
    assert anchor_of(path, now=NOW + timedelta(days=3)) == anchor_us
    assert json.loads(path.read_text()) == {"anchor_us": anchor_us}
    assert [file.name for file in path.parent.iterdir()] == ["timeline.json"]
