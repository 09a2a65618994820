"""Kill -9 the worker in the middle of a batch, as it checks and as it writes: another finishes it, the same.

``FRESHLINE_TEST_BATCH_ROWS`` says how many rows of ten features the batch has; the figure that the product is
measured by is 1000000.
"""

import os
import secrets
import signal
import time

import duckdb
import pytest

from store_adapters import decode_row, encode_key, open_store
from tests.e2e.house import House, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]
ROWS = int(os.environ.get("FRESHLINE_TEST_BATCH_ROWS", "50000"))
PHASES = ("check", "write")
FEATURES = 10
# Of each thousand keys, the second snapshot changes 16, lacks 2 and has 2 more at the end: 2 % together.
CHANGED, REMOVED, ADDED = ROWS // 1_000 * 16, ROWS // 1_000 * 2, ROWS // 1_000 * 2
CHUNK = 5_000


class Lake:
    """A Parquet file of ROWS keys, and the view that is made of it. Key k's feature n is 10 k + n."""

    def __init__(self, house: House) -> None:
        self.house, mark = house, secrets.token_hex(4)
        self.project, self.view = f"lake_{mark}", f"wide_{mark}"
        self.file = house.home / "data" / f"{mark}.parquet"
        self.file.parent.mkdir(exist_ok=True)
        self.first_us = time.time_ns() // 1_000 - 600_000_000
        self.second_us = self.first_us + 300_000_000
        self.write(f"SELECT k, 0.0 AS more, {self.first_us} AS us FROM range({ROWS}) t(k)")
        house.ok("POST", f"projects/{self.project}/apply", self.definition())

    def definition(self) -> dict:
        names = [f"f{number}" for number in range(FEATURES)]
        source = {
            "name": "wide",
            "kind": "parquet",
            "uri": str(self.file),
            "event_time": "at",
            "max_idle": "1h",
        }
        view = {
            "name": self.view,
            "entities": ["user"],
            "owner": "lake",
            "features": [{"name": name, "dtype": "float64"} for name in names],
            "freshness": {"max_age": "5m"},
            "batch": {"source": "wide", "query": "SELECT * FROM wide"},
        }
        return {
            "version": 1,
            "project": self.project,
            "entities": [{"name": "user", "join_keys": [{"name": "user_id", "dtype": "int64"}]}],
            "sources": [source],
            "feature_views": [view],
        }

    def write(self, keys: str) -> None:
        """Replace the file by the rows of ``keys``: k, what is added to each value, microseconds."""
        features = ", ".join(f"(10 * k + {number} + more)::DOUBLE AS f{number}" for number in range(FEATURES))
        partial = self.file.with_suffix(".partial")
        query = f"SELECT k::BIGINT AS user_id, {features}, make_timestamptz(us::BIGINT) AS at FROM ({keys})"
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({query}) TO '{partial}' (FORMAT parquet)")
        partial.rename(self.file)

    def change(self) -> None:
        """Change, remove and add two in a hundred together."""
        self.write(
            f"SELECT k, CASE WHEN k % 1000 < 16 OR k >= {ROWS} THEN 0.5 ELSE 0 END AS more, "
            f"CASE WHEN k % 1000 < 16 OR k >= {ROWS} THEN {self.second_us} ELSE {self.first_us} END AS us "
            f"FROM range({ROWS + ADDED}) t(k) WHERE k >= {ROWS} OR k % 1000 NOT IN (16, 17)"
        )

    def expected(self, key: int) -> tuple | None:
        """Return what a full rewrite of the second snapshot has: values and event time; None: removed."""
        is_new = key >= ROWS or key % 1_000 < 16
        if key < ROWS and key % 1_000 in (16, 17):
            return None
        values = tuple(10.0 * key + number + (0.5 if is_new else 0.0) for number in range(FEATURES))
        return values, self.second_us if is_new else self.first_us

    def start(self) -> int:
        path = f"projects/{self.project}/feature-views/{self.view}/runs"
        return self.house.ok("POST", path, {"lane": "batch"})["run"]["id"]

    def run(self) -> dict:
        """Run the batch and return the run when it has succeeded."""
        return self.finish(self.start())

    def finish(self, run: int) -> dict:
        def ended():
            found = self.house.ok("GET", f"runs/{run}")
            assert found["state"] in ("queued", "running", "succeeded"), found
            return found if found["state"] == "succeeded" else None

        return eventually(ended, within=900, every=0.2)

    def differences(self) -> int:
        """Compare the store with a full rewrite, key by key; returns how many keys differ."""
        store = open_store(f"sqlite://{self.house.home}/store.sqlite3")
        try:
            layout, wrong = store.read_layout(self.project, self.view, 1), 0
            for at in range(0, ROWS + ADDED, CHUNK):
                users = range(at, min(at + CHUNK, ROWS + ADDED))
                keys = [encode_key([("user_id", "int64", user)]) for user in users]
                rows = store.read_rows(self.project, self.view, keys)
                for user, data in zip(users, rows, strict=True):
                    row = decode_row(data, layout) if data else None
                    told = row and (None if row.tombstone else (row.values, row.event_time_us))
                    wrong += row is None or told != self.expected(user)
            return wrong
        finally:
            store.close()


def test_another_worker_finishes_a_batch_whose_workers_were_killed_with_the_same_result(brittle):
    lake = Lake(brittle)
    first = lake.run()
    assert (first["counts"]["added"], first["counts"]["written"]) == (ROWS, ROWS)
    lake.change()
    run = lake.start()
    killed = kill_in_phases(brittle, run)
    ended = lake.finish(run)
    assert killed, "the run was over before it could be hurt"
    (fence,) = brittle.rows("SELECT fence FROM ingestion_ingestionrun WHERE id=?", run)[0]
    assert fence > len(killed)
    counts = ended["counts"]
    assert (counts["added"], counts["changed"], counts["removed"]) == (ADDED, CHANGED, REMOVED)
    assert counts["written"] == ADDED + CHANGED + REMOVED
    assert counts["unchanged"] == ROWS - CHANGED - REMOVED
    assert lake.differences() == 0
    unchanged = [1_000 * number + 500 for number in range(ROWS // 1_000)][:100]
    body = {"features": [f"{lake.view}:f0"], "entities": {"user_id": unchanged}}
    status, answer = brittle.lookup("v1/lookup", body, Freshline_Project=lake.project)
    assert status == 200 and set(answer["columns"][-1]["verdicts"]) == {"fresh"}, answer
    assert lake.run()["counts"]["written"] == 0
    eventually(brittle.is_whole, within=120)


def kill_in_phases(house, run):
    """Kill -9 the worker, with its children, the first time that the run is seen in each phase."""
    killed = []
    sql = "SELECT state, phase FROM ingestion_ingestionrun WHERE id=?"
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        state, phase = house.rows(sql, run)[0]
        if state == "succeeded" or len(killed) == len(PHASES):
            break
        if state == "running" and phase in PHASES and phase not in killed:
            pid = house.pid("worker-ingest")
            if pid:
                os.killpg(pid, signal.SIGKILL)
                killed.append(phase)
                eventually(lambda dead=pid: house.pid("worker-ingest") not in (0, dead), within=60)
        time.sleep(0.002)
    return killed
