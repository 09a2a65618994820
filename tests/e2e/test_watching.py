"""An outside job fails, values grow old, one page goes out and one resolve: real processes, HTTP alone."""

import json
import secrets
import threading
from datetime import UTC, datetime
from functools import partial

import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import error_message_run
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpCompression, HttpConfig, HttpTransport
from openlineage.client.uuid import generate_new_uuid

from tests.e2e import house as houses
from tests.e2e.house import House
from tests.receivers import PAGERDUTY, SLACK, Receiver, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
MAX_AGE = 20
eventually = partial(houses.eventually, every=0.5)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("e2e") / "home")
    made.up()
    yield made
    made.down()


@pytest.fixture
def receiver():
    made = Receiver(rudeness=0.3, retry_after="1", seed=1)
    with running(made) as url:
        made.url = url
        yield made


class Shop:
    """raw -> refine -> gold -> three views that are written directly; and a job that is not among them."""

    def __init__(self, house, receiver):
        mark = secrets.token_hex(4)
        self.house, self.receiver = house, receiver
        self.project, self.team = f"shop_{mark}", f"team_{mark}"
        self.views = [f"{name}_{mark}" for name in ("baskets", "orders", "visits")]
        self.raw, self.gold = f"raw_{mark}", f"gold_{mark}"
        self.token = self._ok("POST", "tokens", {"name": mark, "scopes": ["lineage"], "projects": ["*"]})[
            "token"
        ]
        self._ok("POST", f"projects/{self.project}/apply", self.definition())
        channels = [
            self._channel(f"chat {mark}", "slack_webhook", {"url": receiver.url + SLACK}),
            self._channel(
                f"pager {mark}", "pagerduty", {"url": receiver.url + PAGERDUTY, "routing_key": "R" * 32}
            ),
        ]
        self._ok("PUT", f"teams/{self.team}/channels", {"channels": channels})
        # Before the rows: what the views have read is not what explains that they are stale.
        self.tell("refine", RunState.COMPLETE)
        self.tell("unrelated", RunState.COMPLETE)
        self.write()

    def definition(self):
        views = [
            {
                "name": name,
                "entities": ["user"],
                "owner": self.team,
                "tier": "gold",
                "features": [{"name": "amount", "dtype": "float64"}],
                "freshness": {"warn_after": f"{MAX_AGE // 2}s", "max_age": f"{MAX_AGE}s"},
                "direct": {"source": "scores"},
            }
            for name in self.views
        ]
        service = {
            "name": "ranker",
            "model": "ranker@1",
            "features": [f"{name}:amount" for name in self.views],
        }
        return {
            "version": 1,
            "project": self.project,
            "entities": [{"name": "user", "join_keys": [{"name": "user_id", "dtype": "int64"}]}],
            "sources": [
                {
                    "name": "scores",
                    "kind": "push",
                    "lineage": {"namespace": "s3://lake", "name": self.gold},
                }
            ],
            "feature_views": views,
            "feature_services": [service],
        }

    def write(self):
        for view in self.views:
            rows = {"rows": [{"user_id": n, "amount": float(n)} for n in range(20)]}
            self._ok("POST", f"projects/{self.project}/feature-views/{view}/rows", rows)

    def tell(self, job, state, *, error=None, run=None):
        """Report by the unmodified client, with an API key and gzip."""
        config = HttpConfig(
            url=self.house.web,
            endpoint="api/v1/lineage",
            auth=ApiKeyTokenProvider({"apiKey": self.token}),
            compression=HttpCompression.GZIP,
        )
        facets = {}
        if error is not None:
            facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
                message=error, programmingLanguage="python"
            )
        related = job == "refine"
        event = RunEvent(
            eventType=state,
            eventTime=datetime.now(UTC).isoformat(),
            run=Run(runId=run or str(generate_new_uuid()), facets=facets),
            job=Job(namespace="etl", name=f"{job}_{self.project}"),
            inputs=[InputDataset(namespace="s3://lake", name=self.raw)] if related else [],
            outputs=[
                OutputDataset(namespace="s3://lake", name=self.gold if related else f"other_{self.project}")
            ],
            producer="https://example.org/e2e",
        )
        OpenLineageClient(transport=HttpTransport(config)).emit(event)

    def states(self):
        items = self.health()["items"]
        return {one["view"]: one["state"] for one in items}

    def health(self):
        return self._ok("GET", f"projects/{self.project}/health")

    def incidents(self, query=""):
        return self._ok("GET", f"projects/{self.project}/incidents?{query}")["items"]

    def wait_for_root(self, run):
        """Return the one open root once ``run`` is its cause; a failure shows what there was instead."""
        found = []

        def root():
            found[:] = self.incidents("state=open")
            return len(found) == 1 and found[0]["cause"] and found[0]["cause"]["run"] == run

        try:
            eventually(root, within=60)
        except AssertionError as late:
            raise AssertionError(json.dumps(self.incidents("children=true"), indent=1)) from late
        return found[0]

    def all_are(self, state):
        states = self.states()
        return set(states) == set(self.views) and set(states.values()) == {state}

    def _channel(self, name, kind, config):
        return self._ok("POST", "channels", {"name": name, "kind": kind, "config": config})["id"]

    def _ok(self, method, path, body=None):
        status, answer = self.house.api(method, path, body)
        assert status < 300, (method, path, answer)
        return answer


class Writer:
    """Keeps the shop's views fresh until it is stopped."""

    def __init__(self, shop):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(shop,), daemon=True)
        self._thread.start()

    def _run(self, shop):
        while not self._stop.wait(2):
            shop.write()

    def stop(self):
        self._stop.set()
        self._thread.join()


@pytest.mark.parametrize("reported", ["before", "after"])
def test_one_cause_is_one_page_and_one_resolve(house, receiver, reported):
    shop = Shop(house, receiver)
    writer = Writer(shop)
    eventually(lambda: shop.all_are("fresh"), within=60)
    run = str(generate_new_uuid())
    writer.stop()
    if reported == "after":
        eventually(lambda: shop.incidents("state=open"), within=90)
    shop.tell("refine", RunState.FAIL, error="disk full on node 3", run=run)
    shop.tell("unrelated", RunState.FAIL, error="not the cause")
    eventually(lambda: shop.all_are("stale"), within=90)

    incident = shop.wait_for_root(run)
    assert incident["cause"]["node"] == f"job:etl|refine_{shop.project}"
    assert incident["cause"]["reason"] == "disk full on node 3"
    whole = house.api("GET", f"incidents/{incident['number']}")[1]
    assert len(whole["children"]) == 2
    assert whole["affected"]["services"] == ["ranker"] and whole["affected"]["models"] == ["ranker@1"]
    eventually(lambda: receiver.events("trigger") and receiver.messages(), within=90)
    eventually(
        lambda: run in json.dumps(receiver.messages()) and run in json.dumps(receiver.events()), within=90
    )

    writer = Writer(shop)
    eventually(lambda: shop.all_are("fresh"), within=120)
    eventually(lambda: not shop.incidents("state=open"), within=60)
    eventually(lambda: receiver.events("resolve"), within=120)
    eventually(lambda: any("resolved" in message["text"] for message in receiver.messages()), within=120)
    writer.stop()
    said = json.dumps([receiver.events(), receiver.messages()])
    assert "not the cause" not in said
    if reported == "before":
        assert len(receiver.events("trigger")) == len(receiver.events("resolve")) == 1
        assert len(receiver.messages()) == 2
    opened = {event["dedup_key"] for event in receiver.events("trigger")}
    eventually(lambda: {event["dedup_key"] for event in receiver.events("resolve")} == opened, within=60)


def test_a_private_address_is_refused(house):
    config = {"url": "https://169.254.169.254/latest"}
    status, answer = house.api(
        "POST", "channels", {"name": secrets.token_hex(4), "kind": "slack_webhook", "config": config}
    )
    assert (status, answer["errors"][0]["path"]) == (422, "config.url")


def test_a_redirect_to_a_private_address_is_not_followed(house, receiver):
    receiver.rudeness = 0
    receiver.script["/moved"] = [(302, {"Location": f"{receiver.url}{SLACK}"}, b"")]
    config = {"url": f"{receiver.url}/moved"}
    made = house.api(
        "POST", "channels", {"name": secrets.token_hex(4), "kind": "slack_webhook", "config": config}
    )[1]
    tested = house.api("POST", f"channels/{made['id']}/test")[1]
    assert (tested["ok"], receiver.messages()) == (False, [])
