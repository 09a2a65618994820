"""The longest gap of a schedule, against walking every run."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.contracts.schedules import check_schedule, check_zone, longest_gap
from controlplane.kernel.errors import Refused

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("schedule", "zone", "gap"),
    [
        ("* * * * *", "UTC", timedelta(minutes=1)),
        ("*/15 * * * *", "UTC", timedelta(minutes=15)),
        ("*/25 * * * *", "UTC", timedelta(minutes=25)),
        ("0 9 * * *", "UTC", DAY),
        ("0 9-17 * * *", "UTC", 16 * HOUR),
        ("* * * * MON-FRI", "UTC", 2 * DAY + timedelta(minutes=1)),
        ("0 9-17 * * 1-5", "UTC", 2 * DAY + 16 * HOUR),
        ("0 0 1 * *", "UTC", 31 * DAY),
        ("0 0 29 2 *", "UTC", 1461 * DAY),
        ("0 9 * * *", "Europe/Berlin", 25 * HOUR),
        ("0 * * * *", "Europe/Berlin", HOUR),
        ("*/30 * * * *", "America/New_York", HOUR / 2),
        ("30 2 * * *", "America/New_York", 25 * HOUR),
        ("0 0 L * *", "UTC", 31 * DAY),
        ("0 0 13 * FRI", "UTC", 7 * DAY),
    ],
)
def test_the_longest_gap_is_known(schedule, zone, gap):
    assert longest_gap(schedule, zone) == gap


def walked_gap(schedule, zone):
    start = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))
    end = datetime(2027, 2, 20, tzinfo=UTC)
    runs = []
    for run in CronSim(schedule, start):
        if run > end:
            break
        runs.append(run.astimezone(UTC))
    return max(later - earlier for earlier, later in pairwise(runs))


minutes = st.sampled_from(["0", "30", "*/20", "*/35", "5,50"])
hours = st.sampled_from(["*", "0", "2", "1-3", "*/5", "9,17", "23"])
days = st.sampled_from(["* * *", "* * 1-5", "* * SUN", "1,15 * *", "*/9 * *", "L * *", "* * 1#2"])
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])


@settings(max_examples=40)
@given(minutes, hours, days, zones)
def test_the_longest_gap_is_that_of_walking_every_run(minute, hour, day, zone):
    schedule = f"{minute} {hour} {day}"
    assert longest_gap(schedule, zone) == walked_gap(schedule, zone)


@pytest.mark.parametrize(
    "schedule", ["", "* * * *", "* * * * * *", "60 * * * *", "a b c d e", "0 0 30 2 *", "@daily"]
)
def test_what_is_no_schedule_is_refused(schedule):
    with pytest.raises(Refused) as refused:
        check_schedule(schedule)
    assert refused.value.code == "bad_schedule"


@pytest.mark.parametrize("zone", ["", "Europe", "Nowhere", "/etc/localtime", "../UTC", "a\0b"])
def test_what_is_no_time_zone_is_refused(zone):
    with pytest.raises(Refused):
        check_zone(zone)
