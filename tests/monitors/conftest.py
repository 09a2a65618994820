"""A watched installation on the embedded store, with a receiver that its channels lead to."""

import pytest

from controlplane.ingestion.services import store as stores
from tests.monitors.receivers import Receiver
from tests.monitors.world import INTERVAL, Watched


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def watched(tmp_path, settings, db, receiver):
    """A gold view that was just written, seen fresh, with Slack and PagerDuty for its owner."""
    settings.STORE_URL = f"sqlite://{tmp_path}/store.sqlite3"
    settings.STATE_URL = f"file://{tmp_path}/state"
    settings.FRESHLINE_MONITOR_INTERVAL = settings.FRESHLINE_PROBE_INTERVAL = INTERVAL
    settings.FRESHLINE_EGRESS_ALLOW = ["127.0.0.1"]
    settings.FRESHLINE_PUBLIC_URL = "https://freshline.example"
    stores.forget_layouts()
    world = Watched(tmp_path, settings.STORE_URL, receiver)
    world.define()
    world.tell_ada()
    world.write()
    world.pass_time(2 * INTERVAL, writing=True)
    return world
