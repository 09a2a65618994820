"""One installation in a test: a project, a store, folders for sources and state, a clock that rests."""

import json
import os
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from django.db import transaction

from controlplane.contracts.definition import parse
from controlplane.ingestion import selectors
from controlplane.ingestion.models import LaneState
from controlplane.ingestion.services import direct, runs
from controlplane.ingestion.services.batch.executing import execute_run
from controlplane.ingestion.services.store import online_store
from controlplane.ingestion.services.stream.draining import drain_stream
from controlplane.kernel import clock
from controlplane.kernel.clock import to_us
from controlplane.registry import selectors as registry
from controlplane.registry.models import Project
from controlplane.registry.services.storing import Writer
from store_adapters import Lane, decode_row, encode_key, open_store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class World:
    folder: Path
    store_url: str
    now: datetime = NOW
    project: str = field(default_factory=lambda: f"p{uuid.uuid4().hex[:12]}")
    lives_in: str = "default"

    def __post_init__(self):
        self.store = open_store(self.store_url)
        self.data = self.folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)

    def tick(self, **passed):
        self.now += timedelta(**passed)
        return self.now

    def apply(self, **document):
        """Make a definition true: keyword arguments are the parts of the file."""
        store = None if self.lives_in == "default" else self.lives_in
        written = {"version": 1, "project": self.project, "store": store, **document}
        after = parse(written, foreign_stores=["feast"])
        with transaction.atomic():
            row, _ = Project.objects.get_or_create(
                name=self.project,
                defaults={"created_at": self.now, "created_by": "ada", "changed_at": self.now},
            )
            before = registry.find_definition(self.project)
            Writer(project=row, actor="ada", address="", now=self.now).store(before, after)
            Project.objects.filter(pk=row.pk).update(store=self.lives_in)

    def store_of(self, name):
        """The store of a name, as the tasks find it."""
        return self.store if name == "default" else online_store(name)

    def view(self, name="v"):
        return registry.find_view(self.project, name)

    def key(self, value, name="k", view="v"):
        return encode_key([(name, self.view(view).join_keys[0].dtype, value)])

    def row(self, value, view="v"):
        """The stored row of a key, decoded, or None."""
        record = self.view(view)
        (data,) = self.store.read_rows(self.project, view, [self.key(value, view=view)])
        if data is None:
            return None
        number = int.from_bytes(data[20:24], "little")
        return decode_row(data, record.layouts[number])

    def values(self, value, view="v"):
        """The values of a stored row; None without one, "gone" for a tombstone."""
        row = self.row(value, view=view)
        if row is None:
            return None
        return "gone" if row.tombstone else row.values

    def watermark(self, lane, view="v"):
        """The lane's watermark as the store knows it, as an instant."""
        found = self.store.read_watermarks(self.project).get((view, Lane(lane)))
        return None if found is None else clock.from_us(found.us)

    def post(self, rows=(), deletes=(), view="v", received_at=None):
        return direct.write_rows(
            self.project,
            view,
            rows=list(rows),
            deletes=list(deletes),
            received_at=received_at or self.now,
            now=self.now,
        )

    def write_parquet(self, name, rows, *, columns="k VARCHAR, x BIGINT, y VARCHAR, t TIMESTAMP"):
        """Write a source file of rows (tuples in the order of ``columns``), by a new file in its place."""
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE rows ({columns})")
            if rows:
                marks = ", ".join("?" for _ in rows[0])
                connection.executemany(f"INSERT INTO rows VALUES ({marks})", rows)
            connection.execute(f"COPY rows TO '{self.data}/{name}.new' (FORMAT parquet)")
        (self.data / f"{name}.new").rename(self.data / name)

    def run_batch(self, view="v", **options):
        """Queue a batch run and execute it here; returns its record."""
        run = runs.queue_run(self.view(view), Lane.BATCH, now=self.now, **options)
        return self.execute(run.pk)

    def execute(self, run_id):
        with clock.fixed(lambda: self.now):
            execute_run(run_id, worker="here")
        return selectors.find_run(run_id)

    def append(self, name, *events):
        """Append events (dicts, or raw text with its own line ends) to a JSON-lines file, changed now."""
        with (self.data / name).open("a") as file:
            for event in events:
                file.write(event if isinstance(event, str) else json.dumps(event) + "\n")
        os.utime(self.data / name, (to_us(self.now) / 1e6, to_us(self.now) / 1e6))

    def drain(self, view="v"):
        """Drain the stream lane here; returns its latest run."""
        with clock.fixed(lambda: self.now):
            drain_stream(self.project, view, worker="here")
        return self.latest("stream", view)

    def lane(self, lane, view="v"):
        return LaneState.objects.get(view_id=self.view(view).id, lane=lane)

    def latest(self, lane, view="v"):
        return selectors.latest_run(self.project, view, lane)


KEY = {"name": "e", "join_keys": [{"name": "k", "dtype": "string"}]}
FEATURES = [
    {"name": "x", "dtype": "int64", "nullable": True, "min": 0},
    {"name": "y", "dtype": "string", "nullable": True, "max_length": 8},
]


def view_document(**changes):
    """A feature view ``v`` of entity ``e`` with the features x (int64, min 0) and y (string)."""
    return {
        "name": "v",
        "entities": ["e"],
        "features": FEATURES,
        "freshness": {"max_age": "2h"},
        **changes,
    }


def redis_url():
    url = os.environ.get("FRESHLINE_TEST_REDIS_URL")
    assert url, "FRESHLINE_TEST_REDIS_URL is not set: run ./dev test, which starts the server"
    return url
