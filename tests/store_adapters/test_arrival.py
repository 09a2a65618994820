"""Event times from the future."""

import pytest

from store_adapters import clamp_event_time
from tests.store_adapters.stories import NOW

SECONDS = 1_000_000
YEAR_2099 = 4_070_908_800 * SECONDS


@pytest.mark.parametrize(
    ("event_time_us", "expected"),
    [
        (NOW, (NOW, False)),
        (NOW - 10**18, (NOW - 10**18, False)),
        (NOW + 5 * SECONDS, (NOW + 5 * SECONDS, False)),
        (NOW + 5 * SECONDS + 1, (NOW, True)),
        (YEAR_2099, (NOW, True)),
    ],
    ids=["now", "long ago", "exactly five seconds ahead", "a microsecond more", "in 2099"],
)
def test_an_event_time_more_than_five_seconds_ahead_becomes_the_arrival(event_time_us: int, expected: tuple):
    assert clamp_event_time(event_time_us, arrival_us=NOW) == expected
