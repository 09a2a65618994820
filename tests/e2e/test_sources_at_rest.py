"""A source may rest as long as it said that it would; one that dies is seen although our own runs succeed."""

import json
import secrets

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.house import House, eventually
from tests.e2e.lanes import Writer, now_us, spell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
WARN, MAX_AGE = 20, 45
RESTS, DIES = "rests", "dies"
KEYS = 30


class Shop:
    """For each lane that reads a source, a view of one that may rest and a view of one that may not."""

    def __init__(self, house: House) -> None:
        self.house, mark = house, secrets.token_hex(4)
        self.project = f"rest_{mark}"
        self.data = house.home / "data" / mark
        self.data.mkdir(parents=True)
        self.views = [f"{lane}_{fate}" for lane in ("batch", "stream") for fate in (RESTS, DIES)]
        for view in self.views:
            self.renew(view)
        house.ok("POST", f"projects/{self.project}/apply", self.definition())

    def definition(self) -> dict:
        def source(view: str) -> dict:
            kind = "parquet" if view.startswith("batch") else "stream"
            idle = "1h" if view.endswith(RESTS) else "10s"
            return {
                "name": f"of_{view}",
                "kind": kind,
                "uri": str(self.path(view)),
                "event_time": "at",
                "max_idle": idle,
            }

        def lane(view: str) -> dict:
            if view.startswith("stream"):
                return {"stream": {"source": f"of_{view}"}}
            query = f"SELECT * FROM of_{view}"
            return {"batch": {"source": f"of_{view}", "query": query, "schedule": "*/4 * * * * *"}}

        return {
            "version": 1,
            "project": self.project,
            "entities": [{"name": "user", "join_keys": [{"name": "user_id", "dtype": "int64"}]}],
            "sources": [source(view) for view in self.views],
            "feature_views": [
                {
                    "name": view,
                    "entities": ["user"],
                    "owner": "rest",
                    "features": [{"name": "amount", "dtype": "int64"}],
                    "freshness": {"warn_after": f"{WARN}s", "max_age": f"{MAX_AGE}s"},
                }
                | lane(view)
                for view in self.views
            ],
        }

    def path(self, view: str):
        return self.data / (f"{view}.parquet" if view.startswith("batch") else f"{view}.jsonl")

    def renew(self, view: str) -> None:
        """Let the source of a view show news."""
        at_us, path = now_us(), self.path(view)
        if view.startswith("stream"):
            with path.open("a") as file:
                for user in range(KEYS):
                    file.write(json.dumps({"user_id": user, "amount": at_us, "at": spell(at_us)}) + "\n")
            return
        columns = {"user_id": pa.array(range(KEYS), pa.int64()), "amount": pa.array([at_us] * KEYS)}
        columns["at"] = pa.array([at_us] * KEYS, pa.timestamp("us", "UTC"))
        partial = path.with_suffix(".partial")
        pq.write_table(pa.table(columns), partial)
        partial.rename(path)

    def states(self) -> dict[str, str]:
        items = self.house.ok("GET", f"projects/{self.project}/health")["items"]
        return {one["view"]: one["state"] for one in items}

    def incidents(self, query: str = "") -> list[dict]:
        return self.house.ok("GET", f"projects/{self.project}/incidents?children=true&{query}")["items"]


class Renewing(Writer):
    """Keeps the sources alive that may not rest."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop, every=8.0)  # a file that is replaced while it is read is read again

    def write(self) -> None:
        for view in self.story.views:
            if view.endswith(DIES):
                self.story.renew(view)


def test_a_resting_source_raises_nothing_and_a_dead_one_is_late_then_stale(brittle):
    shop = Shop(brittle)
    dying = {view for view in shop.views if view.endswith(DIES)}
    alive = Renewing(shop)
    alive.start()
    eventually(lambda: set(shop.states().values()) == {"fresh"} and len(shop.states()) == 4, within=120)
    alive.finish()
    seen: dict[str, list[str]] = {view: ["fresh"] for view in shop.views}

    def all_dead():
        for view, state in shop.states().items():
            # On a slow machine nobody may have looked for a while; that is no news of the source.
            if state not in (seen[view][-1], "no_data"):
                seen[view].append(state)
        return all(seen[view][-1] == "stale" for view in dying)

    before = last_run(shop)
    eventually(all_dead, within=180, every=0.5)
    assert {view: states for view, states in seen.items() if view not in dying} == {
        f"{lane}_{RESTS}": ["fresh"] for lane in ("batch", "stream")
    }
    assert seen["stream_dies"] == ["fresh", "late", "stale"]
    # A run over a dead source is hollow: that is a breach of its own, which may come before the age is late.
    assert seen["batch_dies"] in (["fresh", "late", "stale"], ["fresh", "stale"])
    eventually(lambda: {one["view"] for one in shop.incidents("state=open")} == dying, within=30, every=0.5)
    since = "SELECT state FROM ingestion_ingestionrun WHERE project=? AND view='batch_dies' AND id>?"
    ended = [state for (state,) in brittle.rows(since, shop.project, before)]
    assert ended.count("succeeded") >= 5 and "failed" not in ended

    alive = Renewing(shop)
    alive.start()
    eventually(lambda: set(shop.states().values()) == {"fresh"}, within=120, every=0.5)
    eventually(lambda: not shop.incidents("state=open"), within=60, every=0.5)
    alive.finish()
    assert {one["view"] for one in shop.incidents()} == dying


def last_run(shop: Shop) -> int:
    sql = "SELECT coalesce(max(id), 0) FROM ingestion_ingestionrun WHERE project=?"
    return shop.house.rows(sql, shop.project)[0][0]
