"""Writers for every lane at once, each of which knows afterwards what must be in the store."""

import http.client
import json
import secrets
import threading
import time
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from store_adapters import decode_row, encode_key, open_store
from tests.e2e.house import House

BATCH_KEYS, STREAM_KEYS, DIRECT_KEYS, SHARED_KEYS = 400, 60, 60, 20
MAX_AGE = 60
# What a caller sees of a process that dies while it answers.
LOST = (OSError, http.client.HTTPException, ValueError)


class Story:
    """A project with a view for each lane, and one that a stream and direct writers share."""

    def __init__(self, house: House) -> None:
        self.house = house
        mark = secrets.token_hex(4)
        self.project = f"mixed_{mark}"
        self.data = house.home / "data" / mark
        self.data.mkdir(parents=True)
        self.parquet, self.events = self.data / "snapshot.parquet", self.data / "events.jsonl"
        self.shared_events = self.data / "shared.jsonl"
        self.models: dict[str, dict[int, tuple]] = {
            view: {} for view in ("batched", "streamed", "posted", "shared")
        }

    def apply(self) -> None:
        self.house.ok("POST", f"projects/{self.project}/apply", self.definition())

    def definition(self) -> dict:
        def view(name: str, **lanes: object) -> dict:
            return {
                "name": name,
                "entities": ["user"],
                "owner": "chaos",
                "features": [{"name": "amount", "dtype": "int64", "min": 0}],
                "freshness": {"max_age": f"{MAX_AGE}s"},
            } | lanes

        def source(name: str, kind: str, path: object) -> dict:
            return {"name": name, "kind": kind, "uri": str(path), "event_time": "at", "max_idle": "1h"}

        batch = {"source": "snapshot", "query": "SELECT * FROM snapshot", "schedule": "*/3 * * * * *"}
        return {
            "version": 1,
            "project": self.project,
            "entities": [{"name": "user", "join_keys": [{"name": "user_id", "dtype": "int64"}]}],
            "sources": [
                source("snapshot", "parquet", self.parquet),
                source("events", "stream", self.events),
                source("shared_events", "stream", self.shared_events),
            ],
            "feature_views": [
                view("batched", batch=batch | {"max_removed": 1.0}),
                view("streamed", stream={"source": "events"}),
                view("posted", direct=True),
                view("shared", stream={"source": "shared_events"}, direct=True),
            ],
            "feature_services": [
                {"name": "all", "features": [f"{name}:amount" for name in self.models]},
            ],
        }

    def learn(self, view: str, user: int, amount: int, at_us: int) -> None:
        """Note an acknowledged write; of several of one key, the newest event is what must be there."""
        known = self.models[view].get(user)
        if known is None or at_us > known[1]:
            self.models[view][user] = (amount, at_us)

    def stored(self, view: str, users: list[int]) -> dict[int, tuple]:
        """Return what the store has: amount and event time, "gone" for a tombstone."""
        store = open_store(f"sqlite://{self.house.home}/store.sqlite3")
        try:
            layout = store.read_layout(self.project, view, 1)
            keys = [encode_key([("user_id", "int64", user)]) for user in users]
            found = {}
            for user, data in zip(users, store.read_rows(self.project, view, keys), strict=True):
                if data is not None:
                    row = decode_row(data, layout)
                    found[user] = ("gone",) if row.tombstone else (row.values[0], row.event_time_us)
            return found
        finally:
            store.close()


class Writer(threading.Thread):
    """Writes again and again until it is told to stop; what broke it is told at the end."""

    def __init__(self, story: Story, every: float) -> None:
        super().__init__(daemon=True)
        self.story, self.every, self.wrong, self.rounds = story, every, None, 0
        self._stop_asked = threading.Event()

    def run(self) -> None:
        try:
            while not self._stop_asked.is_set():
                self.write()
                self.rounds += 1
                self._stop_asked.wait(self.every)
        except BaseException as wrong:
            self.wrong = wrong
            raise

    def write(self) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        self._stop_asked.set()
        self.join(timeout=150)
        assert not self.is_alive(), f"{type(self).__name__} does not come to an end"
        assert self.wrong is None, self.wrong


class Snapshots(Writer):
    """Replaces the Parquet file: a few keys change, one leaves, one comes back."""

    def __init__(self, story: Story) -> None:
        super().__init__(story, every=3.0)
        self._table = {user: (0, now_us()) for user in range(BATCH_KEYS)}

    def write(self) -> None:
        at_us, model = now_us(), self.story.models["batched"]
        for step in range(20):
            user = (self.rounds * 20 + step) % BATCH_KEYS
            self._table[user] = (self.rounds + 1, at_us)
        shown = {user: kept for user, kept in self._table.items() if user != self.rounds % BATCH_KEYS}
        users = list(shown)
        columns = {
            "user_id": pa.array(users, pa.int64()),
            "amount": pa.array([shown[user][0] for user in users], pa.int64()),
            "at": pa.array([shown[user][1] for user in users], pa.timestamp("us", "UTC")),
        }
        partial = self.story.parquet.with_suffix(".partial")
        pq.write_table(pa.table(columns), partial)
        partial.rename(self.story.parquet)
        model.clear()
        model.update(shown)


class Events(Writer):
    """Appends events, every tenth of which is broken, in pieces that end anywhere."""

    def __init__(self, story: Story, view: str, users: range) -> None:
        super().__init__(story, every=0.05)
        self.view, self.users = view, users
        self.path = story.shared_events if view == "shared" else story.events
        self.path.touch()
        self.lines = self.broken = 0

    def write(self) -> None:
        user, at_us = self.users[self.lines % len(self.users)], now_us()
        is_broken = self.lines % 10 == 9
        amount = -1 if is_broken else self.lines
        line = json.dumps({"user_id": user, "amount": amount, "at": spell(at_us)}) + "\n"
        with self.path.open("a") as file:
            file.write(line[:20])
            file.flush()
            file.write(line[20:])
        self.lines += 1
        if is_broken:
            self.broken += 1
        else:
            self.story.learn(self.view, user, amount, at_us)


class Client(Writer):
    """Posts rows, one of them broken; sends again, under the same key, only what was not acknowledged."""

    def __init__(self, story: Story, view: str, users: range) -> None:
        super().__init__(story, every=0.1)
        self.view, self.users = view, users
        self.posted = self.broken = self.tries = 0

    def write(self) -> None:
        rows = []
        for _ in range(5):
            at_us = now_us()
            rows.append((self.users[self.posted % len(self.users)], self.posted, at_us))
            self.posted += 1
        documents = [{"user_id": u, "amount": a, "event_time": spell(at)} for u, a, at in rows]
        documents.append({"user_id": self.users[0], "amount": -1, "event_time": spell(now_us())})
        self.broken += 1
        answer = self._post(documents)
        assert [one["index"] for one in answer["refused"]] == [5], answer
        for user, amount, at_us in rows:
            self.story.learn(self.view, user, amount, at_us)

    def _post(self, rows: list[dict]) -> dict:
        key, deadline = secrets.token_hex(8), time.monotonic() + 120
        path = f"projects/{self.story.project}/feature-views/{self.view}/rows"
        while True:
            self.tries += 1
            try:
                status, answer = self.story.house.api("POST", path, {"rows": rows}, Idempotency_Key=key)
            except LOST:
                status, answer = 0, {}
            if status == 200:
                return answer
            assert status in (0, 409, 429) or status >= 500, (status, answer)
            assert time.monotonic() < deadline, f"not acknowledged in two minutes: {status} {answer}"
            time.sleep(0.5)


class Beats(Writer):
    """Says for the direct writers, whose pipeline it is, that everything is posted."""

    def __init__(self, story: Story) -> None:
        super().__init__(story, every=1.0)

    def write(self) -> None:
        for view in ("posted", "shared"):
            path = f"projects/{self.story.project}/feature-views/{view}/heartbeat"
            try:
                self.story.house.api("POST", path, {"as_of": spell(now_us()), "writer": "pipeline"})
            except LOST:
                continue  # the next one says more


class Asker(Writer):
    """Looks values up; an answer that came was counted by serving at least once, and never twice."""

    def __init__(self, story: Story) -> None:
        super().__init__(story, every=0.05)
        self.sent = self.answered = 0
        self.lost: list[str] = []

    def write(self) -> None:
        try:
            status, answer = self.ask()
        except LOST as wrong:
            self.lost.append(repr(wrong))
            return
        assert status == 200, (status, answer)
        self.answered += 1

    def ask(self) -> tuple[int, dict]:
        body = {
            "feature_service": "all",
            "entities": {"user_id": [1, BATCH_KEYS + 1]},
            "full_feature_names": True,
        }
        self.sent += 1
        return self.story.house.lookup("v1/lookup", body, Freshline_Project=self.story.project)


def now_us() -> int:
    return time.time_ns() // 1_000


def spell(at_us: int) -> str:
    seconds, rest = divmod(at_us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest).isoformat()
