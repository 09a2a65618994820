"""A world on the embedded store, and the same on Redis."""

import pytest

from controlplane.ingestion.services import store as stores
from tests.ingestion.world import World, redis_url


def build_world(tmp_path, settings, store_url):
    settings.STORE_URL = store_url
    settings.STATE_URL = f"file://{tmp_path}/state"
    settings.FRESHLINE_SOURCE_ROOTS = [tmp_path / "data"]
    stores.forget_layouts()
    return World(tmp_path, store_url)


@pytest.fixture
def world(tmp_path, settings, db):
    return build_world(tmp_path, settings, f"sqlite://{tmp_path}/store.sqlite3")


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def any_world(request, tmp_path, settings, db):
    url = f"sqlite://{tmp_path}/store.sqlite3" if request.param == "sqlite" else redis_url()
    return build_world(tmp_path, settings, url)
