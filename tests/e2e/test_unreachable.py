"""Store, broker, database or receiver away from a running installation: it says so, loses nothing, goes on.

Everything outside is reached through gates, on servers as production has them; the embedded broker is taken
away as well.
"""

import os
import re
import secrets
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e import baskets
from tests.e2e.browser import Browser
from tests.e2e.gates import Gate
from tests.e2e.house import House, eventually, get
from tests.e2e.lanes import now_us
from tests.receivers import PAGERDUTY, SLACK, Receiver, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.redis,
    pytest.mark.postgres,
]
INTERVAL = 2
OLD, NEW = range(baskets.USERS), range(baskets.USERS, 2 * baskets.USERS)


class Outside:
    """The servers of an installation, each behind a gate; a database of its own on the test PostgreSQL."""

    def __init__(self) -> None:
        self._postgres = urlsplit(_variable("FRESHLINE_TEST_POSTGRES_URL"))
        redis = urlsplit(_variable("FRESHLINE_TEST_REDIS_URL"))
        self._name = f"house_{secrets.token_hex(4)}"
        self._run(f'CREATE DATABASE "{self._name}"')
        self.database = Gate((self._postgres.hostname, self._postgres.port))
        self.broker, self.store = (Gate((redis.hostname, redis.port)) for _ in range(2))
        user = self._postgres.username
        self.settings = {
            "DATABASE_URL": f"postgresql://{user}@127.0.0.1:{self.database.port}/{self._name}",
            "BROKER_URL": f"redis://127.0.0.1:{self.broker.port}/1",
            "STORE_URL": f"redis://127.0.0.1:{self.store.port}/2",
        }

    def clear(self) -> None:
        self._run(f'DROP DATABASE "{self._name}" WITH (FORCE)')

    def _run(self, sql: str) -> None:
        with psycopg.connect(self._postgres.geturl(), autocommit=True) as connection:
            connection.execute(sql)


def _variable(name: str) -> str:
    assert name in os.environ, f"{name} is not set: run ./dev test, which starts the server"
    return os.environ[name]


class Shop(baskets.Shop):
    """A view that is written directly, and one that a batch fills."""

    def definition(self, *, max_age: str = "1h") -> dict:
        file = self.house.home / "data" / f"{self.mark}.parquet"
        file.parent.mkdir(exist_ok=True)
        rows = {"user_id": pa.array([1, 2], pa.int64()), "amount": pa.array([1.0, 2.0])}
        pq.write_table(pa.table(rows | {"at": pa.array([now_us()] * 2, pa.timestamp("us", "UTC"))}), file)
        whole = super().definition(max_age=max_age)
        source = {"name": "orders", "kind": "parquet", "uri": str(file), "event_time": "at"}
        view = {name: value for name, value in whole["feature_views"][0].items() if name != "direct"}
        batch = {"source": "orders", "query": "SELECT * FROM orders"}
        whole["sources"] = [source]
        whole["feature_views"].append(view | {"name": "batched", "batch": batch})
        return whole

    def ask_run(self) -> int:
        path = f"projects/{self.project}/feature-views/batched/runs"
        return self.house.ok("POST", path, {"lane": "batch", "full": True})["run"]["id"]

    def run(self, number: int) -> dict:
        return self.house.ok("GET", f"runs/{number}")

    def has_done(self, number: int) -> bool:
        """Whether the run succeeded. One that gave up is asked for again, as a person would."""
        latest = self.house.ok("GET", f"projects/{self.project}/runs?view=batched")["items"][0]
        if latest["state"] == "failed":
            self.ask_run()
        return latest["state"] == "succeeded" and latest["id"] >= number

    def states(self) -> set[str]:
        """Return the states of the views, and "behind" while monitoring is."""
        found = self.house.ok("GET", f"projects/{self.project}/health")
        behind = {"behind"} if found["monitoring"]["behind"] else set()
        return {one["state"] for one in found["items"]} | behind

    def is_well(self) -> bool:
        return self.states() == {"fresh"}


@pytest.fixture(scope="module")
def outside():
    made = Outside()
    yield made
    made.clear()


@pytest.fixture(scope="module")
def house(tmp_path_factory, outside):
    made = House(
        tmp_path_factory.mktemp("outside") / "home",
        FRESHLINE_MONITOR_INTERVAL=f"{INTERVAL}s",
        FRESHLINE_PROBE_INTERVAL=f"{INTERVAL}s",
        FRESHLINE_LEASE="6s",
        FRESHLINE_OBSERVE_INTERVAL="1s",
        FRESHLINE_RATE_LIMIT="100000",
        **outside.settings,
    )
    made.up()
    yield made
    made.down()


@pytest.fixture(scope="module")
def browser(house):
    return Browser(house)


@pytest.fixture
def shop(house):
    return opened(house)


def opened(house: House) -> Shop:
    """Return a shop whose views are fresh and served."""
    made = Shop(house)
    first = made.ask_run()
    eventually(lambda: made.has_done(first) and made.is_well(), within=60, every=0.3)
    return made


@contextmanager
def shut(gate):
    with reopened(gate, gate.shut):
        yield


@contextmanager
def reopened(gate, harm):
    harm()
    try:
        yield
    finally:
        gate.open()


def test_a_store_that_is_away_is_told_and_loses_nothing(house, outside, browser, shop):
    with shut(outside.store):
        assert shop.ask() == (503, "store_unavailable")
        status, refused = shop.try_to_post(NEW)
        assert (status, refused["code"]) == (503, "store_unavailable")
        assert f"could not write rows of {shop.project}/{shop.view}" in refused["detail"]
        run = shop.ask_run()
        eventually(lambda: shop.run(run)["error"], within=30, every=0.3)
        assert shop.run(run)["error"]["code"] == "store_unavailable"
        assert "could not write rows" in browser.words(f"/p/{shop.project}/runs/{run}")
        assert "Failing Online store does not answer" in browser.words("/settings/system")
        eventually(lambda: shop.states() == {"no_data"}, within=60, every=0.3)
        assert "could not read" in browser.words(f"/p/{shop.project}/features/{shop.view}")
        assert get(house.serving + "/ready")[0] == 503
    eventually(lambda: shop.ask()[0] == 200, within=10)
    assert shop.served(OLD) == {user: user + 0.5 for user in OLD}
    assert set(shop.served(NEW).values()) == {None}
    shop.post(NEW)
    assert shop.served(NEW) == {user: user + 0.5 for user in NEW}
    eventually(lambda: shop.has_done(run) and shop.is_well(), within=60, every=0.3)
    assert "Good Online store" in browser.words("/settings/system")


def test_a_store_that_hangs_is_told_in_time(house, outside, browser, shop):
    with reopened(outside.store, outside.store.stall):
        began = time.monotonic()
        assert shop.ask() in ((504, "deadline_exceeded"), (503, "store_unavailable"))
        assert time.monotonic() - began < 2
        status, refused = shop.try_to_post(NEW)
        assert (status, refused["code"]) == (503, "store_unavailable")
        assert time.monotonic() - began < 15
        assert "Failing Online store does not answer" in browser.words("/settings/system")
    eventually(lambda: shop.ask()[0] == 200, within=10)
    shop.post(NEW)
    assert shop.served([*OLD, *NEW]) == {user: user + 0.5 for user in (*OLD, *NEW)}
    eventually(shop.is_well, within=60, every=0.3)


def test_a_database_that_is_away_is_told_and_lookups_go_on(house, outside, browser, shop):
    with shut(outside.database):
        status, refused = house.api("GET", f"projects/{shop.project}/health")
        assert (status, refused["code"]) == (503, "database_unavailable") and refused["request_id"]
        status, refused = shop.try_to_post(NEW)
        assert (status, refused["code"]) == (503, "database_unavailable")
        for path in ("/", f"/p/{shop.project}/", f"/p/{shop.project}/incidents", "/settings/system"):
            status, text = browser.read(path)
            assert status == 503 and "The database does not answer" in text, (path, text)
            assert re.search(r"Request \w{16}", text), text
        assert '"database": "unavailable' in get(house.web + "/readyz")[1]
        for _ in range(20):
            assert shop.served(OLD) == {user: user + 0.5 for user in OLD}
        eventually(lambda: house.counted("reports_waiting"), within=10)
        log = house.home / "logs" / "worker-watch.log"
        eventually(lambda: "OperationalError" in log.read_text(), within=30, every=0.3)
    eventually(shop.is_well, within=60, every=0.3)
    shop.post(NEW)
    assert shop.served([*OLD, *NEW]) == {user: user + 0.5 for user in (*OLD, *NEW)}
    eventually(lambda: not house.counted("reports_waiting"), within=10)
    assert house.counted("reports_dropped_total") == 0


@contextmanager
def folder_taken_away(house: House):
    """Put a file where the embedded broker's messages lie."""
    folder = house.home / "broker" / "queue"
    folder.rename(folder.with_name("away"))
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        folder.with_name("away").rename(folder)


@pytest.mark.parametrize("broker", ["redis", "folder"])
def test_a_broker_that_is_away_is_told_and_what_was_asked_for_is_done_later(request, outside, broker):
    house = request.getfixturevalue({"redis": "house", "folder": "brittle"}[broker])
    shop, browser = opened(house), Browser(house)
    with shut(outside.broker) if broker == "redis" else folder_taken_away(house):
        run = shop.ask_run()
        shop.post(NEW)
        assert shop.served(NEW) == {user: user + 0.5 for user in NEW}
        eventually(lambda: shop.states() == {"no_data", "behind"}, within=60, every=0.3)
        assert "Monitoring itself is behind" in browser.words(f"/p/{shop.project}/")
        told = browser.words("/settings/system")
        assert "Failing Broker does not answer" in told and "nothing is lost" in told
        status, ready = get(house.web + "/readyz")
        assert status == 503 and '"broker": "unavailable' in ready
        assert get(house.web + "/healthz")[0] == 200
        assert shop.run(run)["state"] == "queued"
    eventually(lambda: shop.has_done(run) and shop.is_well(), within=90, every=0.3)
    assert shop.served([*OLD, *NEW]) == {user: user + 0.5 for user in (*OLD, *NEW)}
    assert "Good Broker" in browser.words("/settings/system")


class Paging(baskets.Shop):
    """A view that is soon stale, and its owner's channels."""

    def __init__(self, house: House, url: str) -> None:
        super().__init__(house)
        configs = {
            "slack_webhook": {"url": url + SLACK},
            "pagerduty": {"url": url + PAGERDUTY, "routing_key": "R" * 32},
        }
        made = [
            house.ok("POST", "channels", {"name": f"{kind} {self.mark}", "kind": kind, "config": config})
            for kind, config in configs.items()
        ]
        house.ok("PUT", f"teams/team_{self.mark}/channels", {"channels": [one["id"] for one in made]})

    def definition(self, *, max_age: str = "5s") -> dict:
        whole = baskets.definition(self.project, self.view, max_age=max_age, owner=f"team_{self.mark}")
        whole["feature_views"][0]["tier"] = "gold"  # a pager hears of nothing less
        return whole

    def is_fresh(self) -> bool:
        self.post(OLD)
        return self.health() == "fresh"


def test_a_receiver_that_is_away_is_told_and_hears_of_everything_once_later(house, browser):
    receiver = Receiver()
    with running(receiver) as url:
        gate = Gate((urlsplit(url).hostname, urlsplit(url).port))
        shop = Paging(house, f"http://127.0.0.1:{gate.port}")
        eventually(shop.is_fresh, within=60, every=0.3)
        with shut(gate):
            (incident,) = eventually(shop.open_incidents, within=90, every=0.3)
            page = f"/p/{shop.project}/incidents/INC-{incident['number']}"
            untold = (
                rf"Not delivered: trigger to pagerduty {shop.mark}: \w+: .*?Connection refused, tries again"
            )
            browser.wait_for(page, untold, within=60)
            refused = rf"pagerduty {shop.mark} .*?Failing.*?Connection refused"
            browser.wait_for("/settings/channels", refused, within=30)
        eventually(lambda: receiver.events("trigger") and receiver.messages(), within=60, every=0.3)
        eventually(lambda: shop.is_fresh() and not shop.open_incidents(), within=60, every=0.3)
        eventually(lambda: receiver.events("resolve") and receiver.messages()[1:], within=60, every=0.3)
        assert [one["event_action"] for one in receiver.events()] == ["trigger", "resolve"]
        assert len(receiver.messages()) == 2
        assert "Connection refused" not in browser.words("/settings/channels")
