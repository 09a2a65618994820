"""Every test of this folder runs on every store; the servers come from ``./dev test``."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from store_adapters import Store, open_store
from tests.store_adapters.conformance.backdoors import Backdoor, DynamoBackdoor, RedisBackdoor, SqliteBackdoor

_VARIABLES = {
    "redis": "FRESHLINE_TEST_REDIS_URL",
    "redis-cluster": "FRESHLINE_TEST_REDIS_CLUSTER_URL",
    "dynalite": "FRESHLINE_TEST_DYNALITE_URL",
    "moto": "FRESHLINE_TEST_MOTO_URL",
}


def server_url(kind: str) -> str:
    variable = _VARIABLES[kind]
    url = os.environ.get(variable)
    if not url:
        pytest.fail(f"{variable} is not set: ./dev test starts the servers and sets it")
    return url


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("redis-cluster", marks=pytest.mark.redis),
        pytest.param("dynalite", marks=pytest.mark.dynamodb),
        pytest.param("moto", marks=pytest.mark.dynamodb),
    ]
)
def backdoor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backdoor]:
    kind = request.param
    if kind == "sqlite":
        yield SqliteBackdoor(f"sqlite://{tmp_path}/store.db")
    elif kind in ("redis", "redis-cluster"):
        yield RedisBackdoor(server_url(kind))
    else:  # a table of this test alone
        url = f"dynamodb://eu-west-1/t{uuid4().hex}?endpoint={server_url(kind)}"
        # moto counts bytes as they travel, in base64.
        opened = DynamoBackdoor(url, longest_row=300_000) if kind == "moto" else DynamoBackdoor(url)
        yield opened
        opened.drop_table()


@pytest.fixture
def project(backdoor: Backdoor) -> Iterator[str]:
    """A project of this test alone: servers are shared between tests."""
    name = f"t{uuid4().hex[:12]}"
    yield name
    backdoor.forget(name)


@pytest.fixture
def store(backdoor: Backdoor) -> Iterator[Store]:
    opened = open_store(backdoor.url)
    yield opened
    opened.close()
