"""A project that lives in a store of Feast's is probed there as any other."""

from datetime import timedelta

import pytest

from controlplane.ingestion.services.store import online_store
from controlplane.kernel import clock
from monitors.services.known_keys import Memory
from monitors.services.probing import look_at
from tests.ingestion.world import World
from tests.store_adapters.test_feast_redis import GOLDEN, PROJECT, url

__all__ = ["url"]

ENTITY = {"name": "driver", "join_keys": [{"name": "driver_id", "dtype": "int64"}]}


@pytest.mark.redis
@pytest.mark.django_db
def test_a_probe_judges_what_feast_wrote_by_its_event_time(tmp_path, settings, url):
    settings.FRESHLINE_STORES = {"feast": f"feast+{url}"}
    now = clock.from_us(GOLDEN["event_time_us"]) + timedelta(minutes=2)
    world = World(tmp_path, f"sqlite://{tmp_path}/store.sqlite3", now=now, project=PROJECT, lives_in="feast")
    view = {
        "name": "everything",
        "entities": ["driver"],
        "features": [{"name": "an_int64", "dtype": "int64"}, {"name": "a_text", "dtype": "int64"}],
        "freshness": {"max_age": "1m"},
        "owner": "ops",
    }
    world.apply(entities=[ENTITY], feature_views=[view])
    look = look_at(world.view("everything"), online_store, memory=Memory(b"", ()), now=now)
    assert (look.result.error, look.result.keys_read, look.result.missing) == ("", 3, 0)
    assert look.result.age_max == timedelta(minutes=2)
    assert look.verdicts["an_int64"] == {"stale": 3}
    # The text of two keys is no int64, and null in the third.
    assert look.result.invalid == 2
