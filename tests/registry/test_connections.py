"""Connections: sealed URLs, hosts, references, the Redis ping."""

import pytest

from controlplane.accounts.models import AuditEntry
from controlplane.kernel.errors import Refused
from controlplane.registry import selectors
from controlplane.registry.domain.connections import read_target
from controlplane.registry.models import Connection
from controlplane.rest.models import IdempotentAnswer
from tests.registry.conftest import PROJECT

CONNECTIONS = "/api/v1/connections"
EVENTS = {"name": "events", "kind": "redis", "url": "redis://worker:s3cret@events.example:6380/2?x=s3cret"}


@pytest.mark.django_db
def test_a_url_goes_in_and_never_comes_out(root):
    made = root.post(CONNECTIONS, EVENTS, idempotency_key="k")
    assert made.status_code == 201
    shown = made.json()
    assert (shown["address"], shown["hosts"]) == ("redis://events.example:6380", ["events.example"])
    everywhere = [
        made.content,
        root.get(CONNECTIONS).content,
        root.get(f"{CONNECTIONS}/{shown['id']}").content,
        str(list(Connection.objects.values())),
        str(list(AuditEntry.objects.values())),
        str(list(IdempotentAnswer.objects.values())),
    ]
    assert not [text for text in everywhere if "s3cret" in str(text)]
    assert selectors.connection_url("events") == EVENTS["url"]


@pytest.mark.django_db
def test_names_are_unique_and_kinds_known(root):
    root.post(CONNECTIONS, EVENTS)
    assert root.post(CONNECTIONS, EVENTS).status_code == 409
    assert root.post(CONNECTIONS, EVENTS | {"name": "Bad"}).status_code == 422
    assert root.post(CONNECTIONS, EVENTS | {"name": "other", "kind": "ftp"}).status_code == 422
    answer = root.post(CONNECTIONS, EVENTS | {"name": "other", "url": "ftp://a:s3cret@b"})
    assert (answer.status_code, "s3cret" in answer.content.decode()) == (422, False)


@pytest.mark.django_db
def test_a_change_needs_what_was_read_and_replaces_the_secret(root):
    made = root.post(CONNECTIONS, EVENTS)
    address = f"{CONNECTIONS}/{made.json()['id']}"
    change = {"url": "rediss://events.example:6390"}
    changed = root.call("PATCH", address, change, if_match=made["ETag"])
    assert (changed.status_code, changed.json()["address"]) == (200, "rediss://events.example:6390")
    assert root.call("PATCH", address, change, if_match=made["ETag"]).status_code == 412
    assert root.call("PATCH", address, change).status_code == 200
    assert selectors.connection_url("events") == "rediss://events.example:6390"
    assert root.get(address)["ETag"] != made["ETag"]


@pytest.mark.django_db
def test_a_connection_that_a_source_names_is_not_deleted(root):
    address = f"{CONNECTIONS}/{root.post(CONNECTIONS, EVENTS).json()['id']}"
    stream = {"name": "departures", "kind": "stream", "connection": "events", "topic": "departures"}
    root.apply({"project": "flights", "sources": [stream]})
    answer = root.delete(address)
    assert (answer.status_code, answer.json()["code"]) == (409, "still_referenced")
    assert answer.json()["errors"][0]["path"] == "flights/source.departures"
    assert root.delete(f"{PROJECT}/sources/departures").status_code == 200
    assert root.delete(address).status_code == 204
    assert root.get(address).status_code == 404
    assert root.delete(address).status_code == 404


@pytest.mark.django_db
def test_a_redis_that_does_not_answer_is_told_without_its_secret(root, unused_port):
    body = EVENTS | {"url": f"redis://worker:s3cret@127.0.0.1:{unused_port}/0"}
    made = root.post(CONNECTIONS, body).json()
    answer = root.post(f"{CONNECTIONS}/{made['id']}/test")
    assert (answer.status_code, answer.json()["ok"]) == (200, False)
    assert "s3cret" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.redis
def test_a_redis_that_answers_is_told_so(root, redis_url):
    made = root.post(CONNECTIONS, EVENTS | {"url": redis_url}).json()
    assert root.post(f"{CONNECTIONS}/{made['id']}/test").json() == {"ok": True, "detail": ""}


@pytest.mark.django_db
def test_other_kinds_are_tried_by_their_runs(root):
    body = {"name": "lake", "kind": "s3", "url": "s3://bucket/path", "hosts": ["s3.example"]}
    made = root.post(CONNECTIONS, body).json()
    assert made["hosts"] == ["s3.example"]
    assert root.post(f"{CONNECTIONS}/{made['id']}/test").status_code == 422
    assert root.post(f"{CONNECTIONS}/0/test").status_code == 404


@pytest.mark.parametrize(
    ("kind", "url", "hosts", "address", "allowed"),
    [
        ("redis", "redis://h", (), "redis://h", ("h",)),
        ("redis", "redis+cluster://u:p@a:1,b:2", (), "redis+cluster://a:1,b:2", ("a", "b")),
        ("redis", "redis://u:p%40ss@[::1]:6379/0", (), "redis://[::1]:6379", ("::1",)),
        ("kafka", "kafka://a:9092,b:9092", ("a", "b", "c"), "kafka://a:9092,b:9092", ("a", "b", "c")),
        ("postgres", "postgresql://u:p@db:5432/lake?sslmode=require", (), "postgresql://db:5432", ("db",)),
        ("gcs", "gs://bucket/secret/path", (), "gs://bucket", ()),
        ("http", "https://u:p@files.example/hook/secret", (), "https://files.example", ("files.example",)),
    ],
)
def test_what_of_a_url_may_be_shown(kind, url, hosts, address, allowed):
    target = read_target(kind, url, hosts)
    assert (target.address, target.hosts) == (address, allowed)


@pytest.mark.parametrize(
    ("kind", "url", "hosts"),
    [
        ("redis", "http://h", ()),
        ("redis", "redis://", ()),
        ("redis", "redis://a:1,:2", ()),
        ("redis", "redis://[::1", ()),
        ("postgres", "postgres://a", ("b",)),
        ("http", "h", ()),
    ],
)
def test_a_url_that_leads_nowhere_or_elsewhere_is_refused(kind, url, hosts):
    with pytest.raises(Refused):
        read_target(kind, url, hosts)
