"""Worker and beat dead, or only stopped: within three intervals nothing says fresh, and every page says why.

What is asked: every page of ``frontend.urls``, every GET of the OpenAPI document, and the metrics. A lookup
is no such answer: it judges each value by its own evidence at that moment and needs nobody who watches.
"""

import os
import re
import secrets
import signal
import time
import urllib.parse
import urllib.request
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from frontend.urls import urlpatterns
from tests.e2e.browser import Browser
from tests.e2e.conftest import INTERVAL
from tests.e2e.house import House, eventually
from tests.e2e.lanes import now_us, spell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
WORKERS = ("worker-ingest", "worker-stream", "worker-watch")
SENTENCE = "Monitoring itself is behind"
MAX_AGE = 3_600
# Not read: what only takes POSTs (every "..._action" as well).
NO_PAGES = frozenset({"sign_out", "preferences", "silences"})


class Shop:
    """A batch view and a direct one, long within their limits, with the runs of an outside job above them.

    And one that was too old when it came, so that there is an incident.
    """

    def __init__(self, house: House) -> None:
        self.house, mark = house, secrets.token_hex(4)
        self.project = f"shop_{mark}"
        self.file = house.home / "data" / f"{mark}.parquet"
        self.file.parent.mkdir(exist_ok=True)
        rows = {"user_id": pa.array([1, 2], pa.int64()), "amount": pa.array([1.0, 2.0])}
        pq.write_table(
            pa.table(rows | {"at": pa.array([now_us()] * 2, pa.timestamp("us", "UTC"))}), self.file
        )
        house.ok("POST", f"projects/{self.project}/apply", self.definition())
        for view, at_us in (("posted", now_us()), ("outdated", now_us() - 2 * MAX_AGE * 1_000_000)):
            row = {"user_id": 1, "amount": 1.0, "event_time": spell(at_us)}
            house.ok("POST", f"projects/{self.project}/feature-views/{view}/rows", {"rows": [row]})
        self.batch = house.ok(
            "POST", f"projects/{self.project}/feature-views/batched/runs", {"lane": "batch"}
        )["run"]
        self.job = f"job:etl|load_{mark}"
        house.ok("POST", "lineage", self.event(mark))

    def definition(self) -> dict:
        view = {
            "entities": ["user"],
            "owner": "shop",
            "features": [{"name": "amount", "dtype": "float64"}],
            "freshness": {"max_age": f"{MAX_AGE}s"},
        }
        batch = {"source": "orders", "query": "SELECT * FROM orders"}
        source = {"name": "orders", "kind": "parquet", "uri": str(self.file), "event_time": "at"}
        return {
            "version": 1,
            "project": self.project,
            "entities": [{"name": "user", "join_keys": [{"name": "user_id", "dtype": "int64"}]}],
            "sources": [source | {"lineage": {"namespace": "s3://lake", "name": self.project}}],
            "feature_views": [
                view | {"name": "batched", "batch": batch},
                view | {"name": "posted", "direct": True},
                view | {"name": "outdated", "direct": True},
            ],
            "feature_services": [{"name": "ranker", "model": "ranker@1", "features": ["batched:amount"]}],
        }

    def event(self, mark: str) -> dict:
        return {
            "eventType": "COMPLETE",
            "eventTime": "2026-01-01T00:00:00Z",
            "run": {"runId": str(uuid.uuid4())},
            "job": {"namespace": "etl", "name": f"load_{mark}"},
            "outputs": [{"namespace": "s3://lake", "name": self.project}],
            "producer": "https://example.org/e2e",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        }

    def node_states(self) -> dict[str, str]:
        query = urllib.parse.urlencode({"node": f"view:{self.project}/batched", "up": 5, "down": 5})
        status, graph = self.house.api("GET", f"lineage/graph?{query}")
        return {node["id"]: node["state"] for node in graph["nodes"]} if status == 200 else {}

    def incident(self) -> int:
        """Return the number of the one open incident."""
        (found,) = self.house.ok("GET", f"projects/{self.project}/incidents?state=open")["items"]
        return found["number"]

    def is_fresh(self) -> bool:
        """Whether what may be fresh is, and the incident is there."""
        health = self.house.ok("GET", f"projects/{self.project}/health")
        nodes = self.node_states()
        return (
            [one["state"] for one in health["items"]] == ["stale", "fresh", "fresh"]
            and health["items"][0]["incidents"]
            and not health["monitoring"]["behind"]
            and {nodes.get(self.job), nodes.get(f"view:{self.project}/batched")} == {"fresh"}
        )


@pytest.fixture(scope="module")
def shop(brittle):
    return Shop(brittle)


@pytest.fixture(scope="module")
def browser(brittle):
    return Browser(brittle)


def die(house, *names):
    house.kill(*names)


def freeze(house, *names):
    for name in names:
        os.killpg(house.pid(name), signal.SIGSTOP)


def revive(house, *names):
    house.start(*names)


def thaw(house, *names):
    for name in names:
        os.killpg(house.pid(name), signal.SIGCONT)


STORIES = {
    "worker and beat are killed": (die, revive, (*WORKERS, "beat")),
    "only the worker hangs": (freeze, thaw, WORKERS),
    "only beat hangs": (freeze, thaw, ("beat",)),
}


@pytest.mark.parametrize("story", STORIES)
def test_nothing_says_fresh_when_nobody_watches(brittle, shop, browser, story):
    harm, mend, names = STORIES[story]
    eventually(shop.is_fresh, within=90, every=0.5)
    pages, answers = pages_of(brittle, shop), answers_of(brittle, shop)
    said = {path: browser.words(path) for path in pages}
    assert any(re.search(r"\bFresh\b", text) for text in said.values()), "the pages are read in vain"
    harm(brittle, *names)
    try:
        time.sleep(3 * INTERVAL)
        texts = {path: browser.words(path) for path in pages}
        documents = {path: brittle.ok("GET", path) for path in answers}
        measured = urllib.request.urlopen(f"{brittle.web}/metrics", timeout=30).read().decode()
    finally:
        mend(brittle, *names)
    told = {path: re.findall(r"(?i).{0,40}\bfresh\b.{0,40}", text) for path, text in texts.items()}
    assert {path: found for path, found in told.items() if found} == {}
    assert {path for path, text in texts.items() if SENTENCE not in text} == set()
    claims = {path: fresh_values(answer) for path, answer in documents.items()}
    assert {path: found for path, found in claims.items() if found} == {}
    health = documents[f"projects/{shop.project}/health"]
    assert health["monitoring"]["behind"] and SENTENCE in health["monitoring"]["sentence"]
    assert "freshline_monitoring_behind 1.0" in measured
    assert re.findall(r'freshline_views\{.*state="fresh".*\} [^0].*', measured) == []
    eventually(shop.is_fresh, within=90, every=0.5)


def pages_of(house: House, shop: Shop) -> list[str]:
    """Return the address of every page, about this shop."""
    known = {"project": shop.project, "name": "batched", "id": str(shop.batch["id"])}
    known["number"] = str(shop.incident())
    found = []
    for pattern in urlpatterns:
        name = pattern.name
        if name is None or name in NO_PAGES or name.startswith("sign_") or name.endswith("_action"):
            continue
        found.append("/" + re.sub(r"<\w+:(\w+)>", lambda part: known[part[1]], str(pattern.pattern)))
    view = f"/p/{shop.project}/features/batched"
    focus = urllib.parse.urlencode({"focus": f"view:{shop.project}/batched"})
    table = f"/p/{shop.project}/lineage?{focus}&mode=table"
    tabs = [f"{view}?tab={tab}" for tab in ("contract", "runs")]
    return [*found, *tabs, f"/p/{shop.project}/lineage?{focus}", table]


def answers_of(house: House, shop: Shop) -> list[str]:
    """Return the path of every GET that has something to say about this shop."""
    schema = house.ok("GET", "schema?format=json")
    monitor = house.ok("GET", f"projects/{shop.project}/monitors")["items"][0]["id"]
    known = {
        "project": shop.project,
        "view": "batched",
        "run_id": str(shop.batch["id"]),
        "monitor_id": str(monitor),
        "team": "shop",
        "other": "1",
    }
    # A name is a view's, an entity's, a source's or a service's; a number is an incident's or a contract's.
    named = {
        "feature-views": "batched",
        "entities": "user",
        "sources": "orders",
        "feature-services": "ranker",
    }
    node = urllib.parse.urlencode({"node": f"view:{shop.project}/batched", "up": 5, "down": 5})
    found = []
    for template, operations in schema["paths"].items():
        path = template.removeprefix("/api/v1/")
        if "get" not in operations or path.endswith("_id}"):
            continue
        names = known | {
            "number": str(shop.incident()) if path.startswith("incidents/") else "1",
            "name": named.get(path.split("/")[2] if path.count("/") > 1 else "", ""),
        }
        asked = (
            "?format=json" if path.endswith("/events") else f"?{node}" if path.startswith("lineage/") else ""
        )
        found.append(re.sub(r"\{(\w+)\}", lambda part, names=names: names[part[1]], path) + asked)
    runs_and_monitors = [f"runs/{known['run_id']}", f"projects/{shop.project}/monitors/{monitor}"]
    return [*found, *runs_and_monitors]


def fresh_values(document: object, path: str = "") -> list[str]:
    """Return where a JSON document has the word as a value."""
    if isinstance(document, dict):
        return [hit for name, value in document.items() for hit in fresh_values(value, f"{path}.{name}")]
    if isinstance(document, list):
        return [hit for at, value in enumerate(document) for hit in fresh_values(value, f"{path}[{at}]")]
    if path.endswith(".text"):
        return re.findall(r'.*[:"\s]fresh\b.*', str(document))
    # A monitor says ok where a view says fresh; an edge's ok claims nothing.
    is_claim = document == "fresh" or (document == "ok" and path.endswith(".state") and "edges" not in path)
    return [path] if is_claim else []
