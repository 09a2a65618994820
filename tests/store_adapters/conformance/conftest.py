"""Every test of this folder runs on every store; the servers come from ``./dev test``."""

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis, RedisCluster
from redis.cluster import ClusterNode

from store_adapters import Store, open_store

_VARIABLES = {"redis": "FRESHLINE_TEST_REDIS_URL", "redis-cluster": "FRESHLINE_TEST_REDIS_CLUSTER_URL"}


def server_url(kind: str) -> str:
    variable = _VARIABLES[kind]
    url = os.environ.get(variable)
    if not url:
        pytest.fail(f"{variable} is not set: ./dev test starts the servers and sets it")
    return url


@dataclass
class Backdoor:
    """Looks into a store past its adapter."""

    url: str

    def redis(self) -> Redis | RedisCluster:
        scheme, _, rest = self.url.partition("://")
        if scheme == "redis":
            return Redis.from_url(self.url)
        nodes = [node.rsplit(":", 1) for node in rest.split(",")]
        return RedisCluster(startup_nodes=[ClusterNode(host, int(port)) for host, port in nodes])

    def sqlite(self) -> sqlite3.Connection:
        return sqlite3.connect(self.url.removeprefix("sqlite://"), isolation_level=None)

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite:")

    def record_expiry_us(self, project: str, key: bytes) -> int | None:
        """When the whole record of an entity goes; None is never."""
        if not self.is_sqlite:
            milliseconds = self.redis().pexpiretime(f"fl:{project}:".encode() + key)
            return None if milliseconds == -1 else milliseconds * 1000
        rows = self.sqlite().execute(
            "SELECT expires_us FROM fl_rows WHERE project = ? AND entity_key = ?", (project, key)
        )
        found = [expires_us for (expires_us,) in rows]
        return None if None in found else max(found)

    def plant_row(self, project: str, view: str, key: bytes, row: bytes) -> None:
        """Put bytes that no adapter of ours would."""
        if self.is_sqlite:
            self.sqlite().execute(
                "INSERT OR REPLACE INTO fl_rows VALUES (?, ?, ?, ?, NULL)", (project, key, view, row)
            )
        else:
            self.redis().hset(f"fl:{project}:".encode() + key, view, row)

    def plant_layout(self, project: str, field: str, text: str) -> None:
        if self.is_sqlite:
            self.sqlite().execute("INSERT INTO fl_layouts VALUES (?, ?, ?)", (project, field, text))
        else:
            self.redis().hset(f"fl-layout:{project}", field, text)

    def layout_text(self, project: str, field: str) -> str:
        if self.is_sqlite:
            return (
                self.sqlite()
                .execute("SELECT layout FROM fl_layouts WHERE project = ? AND field = ?", (project, field))
                .fetchone()[0]
            )
        return self.redis().hget(f"fl-layout:{project}", field).decode()


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("redis-cluster", marks=pytest.mark.redis),
    ]
)
def backdoor(request: pytest.FixtureRequest, tmp_path: Path) -> Backdoor:
    kind = request.param
    return Backdoor(f"sqlite://{tmp_path}/store.db" if kind == "sqlite" else server_url(kind))


@pytest.fixture
def project(backdoor: Backdoor) -> Iterator[str]:
    """A project of this test alone: servers are shared between tests."""
    name = f"t{uuid4().hex[:12]}"
    yield name
    if not backdoor.is_sqlite:
        client = backdoor.redis()
        with client.pipeline(transaction=False) as pipe:
            for key in client.scan_iter(match=f"fl*:{name}*", count=1000):
                pipe.execute_command("DEL", key)
            pipe.execute()
        client.close()


@pytest.fixture
def store(backdoor: Backdoor) -> Iterator[Store]:
    opened = open_store(backdoor.url)
    yield opened
    opened.close()
