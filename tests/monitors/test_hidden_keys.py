"""Feast's tables in DynamoDB hold hashes of keys: a probe takes those of lookups, or says it knows none."""

import os

import boto3
import pytest

from controlplane.observations.models import SampledLookup
from monitors.models import Monitor
from monitors.selectors.health import view_health
from store_adapters import open_store
from store_adapters.murmur import murmur3_128

pytestmark = pytest.mark.dynamodb
SEVEN = b"\x20\x07"  # Feast's Value of an int64


@pytest.fixture
def hidden(site, settings):
    """A view whose rows lie in a table as Feast makes them, written ten seconds ago."""
    endpoint = os.environ.get("FRESHLINE_TEST_DYNALITE_URL")
    assert endpoint, "FRESHLINE_TEST_DYNALITE_URL is not set: run ./dev test, which starts the server"
    url = f"feast+dynamodb://eu-west-1?endpoint={endpoint}"
    settings.FRESHLINE_STORES = {"feast": url}
    site.world.lives_in, site.world.store = "feast", open_store(url)
    site.register({"direct": None, "freshness": {"warn_after": "1m", "max_age": "2m"}})
    site.client, site.table = (
        boto3.client("dynamodb", "eu-west-1", endpoint_url=endpoint),
        f"{site.project}.v",
    )
    site.client.create_table(
        TableName=site.table,
        KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    site.client.get_waiter("table_exists").wait(TableName=site.table, WaiterConfig={"Delay": 1})
    put(site, *[f"k{number}" for number in range(30)])
    yield site
    site.world.store.close()
    site.client.delete_table(TableName=site.table)


def put(site, *keys):
    for key in keys:
        item = {
            "entity_id": {"S": murmur3_128(site.world.key(key)).hex()},
            "event_ts": {"S": str(site.now.replace(tzinfo=None))},
            "values": {"M": {"x": {"B": SEVEN}}},
        }
        site.client.put_item(TableName=site.table, Item=item)


def look_up(site, *keys, verdict="fresh", tells=True):
    """Let serving have sampled lookups of keys."""
    for key in keys:
        SampledLookup.objects.create(
            at=site.now,
            project=site.project,
            view="v",
            key_sha256="ab" * 32,
            key=site.world.key(key) if tells else None,
            verdicts={"x": verdict},
        )


def reasons(site):
    return {row.kind: (row.state, row.reason) for row in Monitor.objects.filter(view="v")}


def test_without_a_key_nothing_is_known_and_it_is_said_why(hidden):
    look_up(hidden, "k1", tells=False)
    hidden.go(240)
    told = view_health(hidden.project, "v", now=hidden.now)
    assert (told.health.state, told.is_learning) == ("no_data", False)
    assert "only hashes of keys" in told.health.reason
    assert "FRESHLINE_OBSERVE_PLAIN_KEYS" in told.health.reason
    for kind in ("served_age", "coverage"):
        assert reasons(hidden)[kind] == ("no_data", told.health.reason)
    assert hidden.incidents() == []


def test_keys_that_lookups_found_are_probed_from_then_on(hidden):
    hidden.go(40)
    look_up(hidden, *[f"k{number}" for number in range(30)])
    look_up(hidden, "nobody", verdict="missing")
    assert hidden.go_until("fresh") < 40
    assert (view_health(hidden.project, "v", now=hidden.now).probe.keys_read) == 30
    SampledLookup.objects.all().delete()
    assert hidden.go_until("stale", patience=240) > 40
    put(hidden, *[f"k{number}" for number in range(30)])
    hidden.go_until("fresh")
    for number in range(15):
        hidden.client.delete_item(
            TableName=hidden.table,
            Key={"entity_id": {"S": murmur3_128(hidden.world.key(f"k{number}")).hex()}},
        )
    hidden.go_until("missing")


def test_a_probe_of_a_store_without_keys_is_unknown_when_the_store_is_away(hidden):
    hidden.go(40)
    hidden.world.store.close()
    hidden.world.store = open_store(
        "feast+dynamodb://eu-west-1?endpoint=http://127.0.0.1:9", timeout_seconds=0.1
    )
    look_up(hidden, "k1")
    hidden.go(100)
    assert reasons(hidden)["coverage"][0] == "unknown"
