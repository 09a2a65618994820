"""One installation for every test that hurts processes: what is watched and leased is short there."""

import pytest

from tests.e2e.house import House

INTERVAL = 5  # seconds between two looks of monitors and probes
LEASE = 6


@pytest.fixture(scope="session")
def brittle(tmp_path_factory):
    """An installation whose tests kill processes, and leave it whole."""
    made = House(
        tmp_path_factory.mktemp("brittle") / "home",
        FRESHLINE_MONITOR_INTERVAL=f"{INTERVAL}s",
        FRESHLINE_PROBE_INTERVAL=f"{INTERVAL}s",
        FRESHLINE_LEASE=f"{LEASE}s",
        FRESHLINE_OBSERVE_INTERVAL="1s",
        FRESHLINE_RATE_LIMIT="100000",
        FRESHLINE_LOOKUP_TIMEOUT="5s",
    )
    made.up()
    yield made
    made.down()
