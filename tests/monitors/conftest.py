"""A site: a project with a store, watched by loops that a test turns by hand; a receiver that listens."""

import uuid

import pytest

from controlplane.ingestion.services import store as stores
from lineage import services as lineage
from monitors.channels.egress import Egress
from monitors.domain.health import HealthState
from monitors.models import Incident
from monitors.selectors.health import view_health
from monitors.services import judging, outbox, probing, upkeep
from tests.ingestion.conftest import build_world
from tests.monitors.receivers import Receiver as PlainReceiver
from tests.monitors.story import SECOND, pagerduty, slack
from tests.monitors.world import INTERVAL, Watched
from tests.receivers import Receiver, running

PRODUCER = "https://example.org/producer"
DEFINITION = {
    "entities": [{"name": "e", "join_keys": [{"name": "k", "dtype": "string"}]}],
    "feature_views": [
        {
            "name": "v",
            "entities": ["e"],
            "owner": "delays",
            "tier": "gold",
            "features": [{"name": "x", "dtype": "int64", "nullable": True, "min": 0}],
            "freshness": {"warn_after": "15s", "max_age": "30s"},
            "direct": True,
        }
    ],
}


class Site:
    """``world`` holds the store and the clock; ``go`` turns the loops second by second."""

    def __init__(self, world):
        self.world = world
        self.egress = Egress(allowed_hosts=["127.0.0.1"])

    @property
    def now(self):
        return self.world.now

    @property
    def project(self):
        return self.world.project

    def register(self, *views, **parts):
        """Make a definition true: views are changes of the story's one view."""
        base = DEFINITION["feature_views"][0]
        documents = [
            {name: value for name, value in {**base, **changes}.items() if value is not None}
            for changes in views or ({},)
        ]
        self.world.apply(**{**DEFINITION, **parts, "feature_views": documents})
        upkeep.keep_in_step(now=self.now)

    def write(self, *keys, view="v", x=1, **row):
        rows = [{"k": key, "x": x, **row} for key in keys or ("a", "b", "c")]
        return self.world.post(rows, view=view)

    def turn(self, *, deliver=True):
        """Let every loop go round once."""
        upkeep.keep_in_step(now=self.now)
        probing.run_probes(now=self.now, stores=lambda _: self.world.store, stopwatch=lambda: 0.0)
        judging.run_due(now=self.now)
        if deliver:
            outbox.deliver_due(now=self.now, egress=self.egress, jitter=lambda: 0.5)

    def go(self, seconds, *, before=lambda second: None, **options):
        """Turn the loops once a second for so long."""
        for second in range(seconds):
            self.world.tick(seconds=1)
            before(second)
            self.turn(**options)

    def state(self, view="v"):
        return view_health(self.project, view, now=self.now).health.state

    def go_until(self, state, *, view="v", patience=120, **options):
        """Turn the loops until the view is in ``state``; returns after how many seconds."""
        for second in range(patience):
            if self.state(view) is HealthState(state):
                return second
            self.go(1, **options)
        raise AssertionError(f"{view} is {self.state(view)} after {patience} s, not {state}")

    def incidents(self, **found):
        return list(Incident.objects.filter(project=self.project, **found).order_by("number"))

    def tell(self, job, state, *, ago=0, namespace="etl", inputs=(), outputs=(), error=None, run=None):
        """An outside job reports by OpenLineage."""
        facets = {}
        if error is not None:
            facets["errorMessage"] = {
                "_producer": PRODUCER,
                "_schemaURL": PRODUCER,
                "message": error,
                "programmingLanguage": "python",
            }
        event = {
            "eventType": state,
            "eventTime": (self.now - ago * SECOND).isoformat(),
            "producer": PRODUCER,
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
            "run": {"runId": run or str(uuid.uuid4()), "facets": facets},
            "job": {"namespace": namespace, "name": job},
            "inputs": [{"namespace": ns, "name": name} for ns, name in inputs],
            "outputs": [{"namespace": ns, "name": name} for ns, name in outputs],
        }
        lineage.receive_event(event, now=self.now)
        lineage.project_pending(now=self.now)


@pytest.fixture
def site(tmp_path, settings, db):
    settings.FRESHLINE_EGRESS_ALLOW = ["127.0.0.1"]
    return Site(build_world(tmp_path, settings, f"sqlite://{tmp_path}/store.sqlite3"))


@pytest.fixture
def receiver(settings):
    settings.FRESHLINE_EGRESS_ALLOW = ["127.0.0.1"]
    made = Receiver()
    with running(made) as url:
        made.url = url
        yield made


@pytest.fixture
def told(receiver, db):
    """A receiver that the delays team hears by chat and pager."""
    slack(receiver.url)
    pagerduty(receiver.url)
    return receiver


@pytest.fixture
def watched(tmp_path, settings, db):
    """A gold view that was just written, seen fresh, with Slack and PagerDuty for its owner."""
    settings.STORE_URL = f"sqlite://{tmp_path}/store.sqlite3"
    settings.STATE_URL = f"file://{tmp_path}/state"
    settings.FRESHLINE_MONITOR_INTERVAL = settings.FRESHLINE_PROBE_INTERVAL = INTERVAL
    settings.FRESHLINE_EGRESS_ALLOW = ["127.0.0.1"]
    settings.FRESHLINE_PUBLIC_URL = "https://freshline.example"
    stores.forget_layouts()
    receiver = PlainReceiver()
    world = Watched(tmp_path, settings.STORE_URL, receiver)
    world.define()
    world.tell_ada()
    world.write()
    world.pass_time(2 * INTERVAL, writing=True)
    yield world
    receiver.close()
