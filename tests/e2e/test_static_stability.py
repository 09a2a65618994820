"""The control plane is killed and serving restarted meanwhile: no lookup fails, contracts stay in force.

"Restarted" is read as an orderly restart (SIGTERM, as a deployment does it): requests under way are
answered, open connections are told to close, and who connects in between waits at the socket that the
supervisor holds for the next process. So clients need not try again. Of a serving process that is killed, the
answers under way are lost, like those of any killed process; who asks again, as HTTP clients do on a lost
connection, is answered.
"""

import http.client
import json
import os
import signal
import threading
import time

import pytest

from tests.e2e import baskets
from tests.e2e.house import House, eventually
from tests.e2e.lanes import now_us, spell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CONTROL_PLANE = ("web", "worker-ingest", "worker-stream", "worker-watch", "beat")
CLIENTS = 12
OLD, YOUNG, ABSENT = (baskets.USERS + n for n in range(3))
MAX_AGE = 1_800


class Shop(baskets.Shop):
    """A view with an old row, a young one and an absent one; two services with different demands."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        long_ago = spell(now_us() - 2 * MAX_AGE * 1_000_000)
        rows = [{"user_id": OLD, "amount": 1.5, "event_time": long_ago}, {"user_id": YOUNG, "amount": 2.5}]
        house.ok("POST", f"projects/{self.project}/feature-views/{self.view}/rows", {"rows": rows})

    def definition(self, *, max_age: str = "24h") -> dict:
        services = [
            {"name": "defaulting", "max_age": f"{MAX_AGE}s", "on_stale": "default", "on_missing": "default"},
            {"name": "rejecting", "max_age": f"{MAX_AGE}s", "on_stale": "reject", "on_missing": "reject"},
        ]
        return baskets.definition(self.project, self.view, max_age=max_age, services=services)

    def body(self, service: str) -> dict:
        return {"feature_service": service, "entities": {"user_id": [OLD, YOUNG, ABSENT]}}

    def feast(self) -> tuple:
        """Ask in Feast's shape; returns values and statuses of the feature."""
        status, answer = self.house.lookup(
            "get-online-features", self.body("defaulting"), Freshline_Project=self.project
        )
        if status != 200:
            return status, answer
        column = dict(zip(answer["metadata"]["feature_names"], answer["results"], strict=True))["amount"]
        return column["values"], column["statuses"]

    def is_enforced(self) -> bool:
        return self.feast() == ([-1.0, 2.5, -1.0], ["OUTSIDE_MAX_AGE", "PRESENT", "NOT_FOUND"])


class Client(threading.Thread):
    """Asks without a pause, on a connection that it keeps as long as it may; never asks twice."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(daemon=True)
        self.shop, self.answered, self.wrong, self.slowest = shop, 0, [], 0.0
        self.asks_again = False
        self.done = threading.Event()
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        while not self.done.is_set():
            began = time.monotonic()
            try:
                self._check(*self._ask())
            except (OSError, http.client.HTTPException) as lost:
                self._connection = None
                if not self.asks_again:
                    self.wrong.append(repr(lost))
                continue
            self.answered += 1
            self.slowest = max(self.slowest, time.monotonic() - began)

    def _ask(self) -> tuple[int, dict]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                self.shop.house.serving.removeprefix("http://"), timeout=60
            )
        headers = {"Content-Type": "application/json", "Freshline-Project": self.shop.project}
        self._connection.request("POST", "/v1/lookup", json.dumps(self.shop.body("rejecting")), headers)
        response = self._connection.getresponse()
        document = json.loads(response.read())
        if response.will_close:
            self._connection = None
        return response.status, document

    def _check(self, status: int, answer: dict) -> None:
        if status != 200:
            self.wrong.append(f"{status} {answer}")
            return
        values, rejected = answer["columns"][-1]["values"], [one["row"] for one in answer["rejected"]]
        if (values, rejected) != ([None, 2.5, None], [0, 2]):
            self.wrong.append(f"not under contract: {answer}")


@pytest.fixture
def shop(brittle):
    made = Shop(brittle)
    eventually(made.is_enforced, within=30)
    return made


@pytest.fixture
def clients(shop):
    made = [Client(shop) for _ in range(CLIENTS)]
    for client in made:
        client.start()
    yield made
    for client in made:
        client.done.set()
        client.join(timeout=90)


def test_lookups_outlive_the_control_plane_and_a_restart_of_serving(brittle, shop, clients):
    everybody_was_answered(clients)
    brittle.kill(*CONTROL_PLANE)
    try:
        everybody_was_answered(clients)
        restart(brittle, signal.SIGTERM)
        everybody_was_answered(clients)
        assert [wrong for client in clients for wrong in client.wrong] == []
        assert shop.is_enforced()
        restart(brittle, signal.SIGTERM)
        everybody_was_answered(clients)
        assert [wrong for client in clients for wrong in client.wrong] == []

        for client in clients:
            client.asks_again = True
        restart(brittle, signal.SIGKILL)
        everybody_was_answered(clients)
        assert [wrong for client in clients for wrong in client.wrong] == []
        assert shop.is_enforced()
    finally:
        brittle.start(*CONTROL_PLANE)
    status, _ = brittle.api("GET", f"projects/{shop.project}/health")
    assert status == 200


def everybody_was_answered(clients):
    before = [client.answered for client in clients]
    eventually(lambda: all(c.answered > n + 20 for c, n in zip(clients, before, strict=True)), within=60)


def restart(house, number):
    """End serving as ``number`` does, and return when its supervisor has it running again."""
    before = house.pid("serving")
    os.kill(before, number)

    def is_back():
        now = next(one for one in house.processes() if one["name"] == "serving")
        return now["state"] == "ready" and now["pid"] not in (0, before)

    eventually(is_back, within=60)
