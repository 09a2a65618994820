"""Ingestion by HTTP: a definition is applied, rows are posted, runs are asked for."""

import functools
import json
import signal
import subprocess
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from controlplane.accounts import selectors as accounts
from controlplane.accounts.services import tokens
from controlplane.kernel import clock, processes
from controlplane.rest import idempotency
from tests.ingestion.test_batch import BATCH, SOURCE
from tests.ingestion.world import KEY, view_document


def client_of(*scopes, projects=()):
    get_user_model().objects.get_or_create(username="root", is_superuser=True)
    principal = accounts.principal_of_user(get_user_model().objects.get(username="root"))
    made = tokens.create_token(
        principal, name="t", scopes=scopes, projects=projects, now=clock.now(), never_expires=True
    )
    return Client(headers={"authorization": f"Bearer {made.secret}"})


def post(client, address, body, **headers):
    return client.post(
        f"/api/v1/{address}", json.dumps(body), content_type="application/json", headers=headers
    )


@pytest.fixture
def root(world):
    client = client_of("read", "register", "admin", "ingest", "operate", "lookup")
    document = {
        "version": 1,
        "project": world.project,
        "entities": [{**KEY, "owner": "ops"}],
        "sources": [SOURCE],
        "feature_views": [view_document(batch=BATCH, direct=True, owner="ops")],
    }
    answer = post(client, f"projects/{world.project}/apply", document)
    assert answer.status_code == 200, answer.content
    return client


UNKEPT = [
    {"k": "c", "x": 1, "y": "half a pair \ud800"},
    {"k": "c", "x": 1, "y\ud800": "a name with half a pair"},
    {"k": "c", "x": 1, "y\0": "a name with a zero"},
    {"k": "half \ud800", "x": 1, "y": "in the key"},
    {"k": "c", "x": "\ud800", "y": "in a number"},
]


@pytest.mark.parametrize("bad", UNKEPT)
def test_text_that_no_database_keeps_refuses_its_row_alone(world, root, bad):
    body = {"rows": [{"k": "a", "x": 1, "y": "one"}, bad]}
    answer = post(root, f"projects/{world.project}/feature-views/v/rows", body)
    assert (answer.status_code, answer.json()["written"]) == (200, 1), answer.content
    assert [each["index"] for each in answer.json()["refused"]] == [1]
    (kept,) = root.get(f"/api/v1/projects/{world.project}/refused-rows").json()["items"]
    assert json.loads(kept["payload"])["row"] == bad


def test_elsewhere_such_text_is_refused_with_its_place(world, root):
    answer = post(root, "tokens", {"name": "half \ud800", "scopes": ["read"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "name"
    assert post(root, "tokens", {"name": "whole \U0001f600", "scopes": ["read"]}).status_code == 201


def test_posted_rows_are_written_and_refused_ones_named(world, root):
    rows = [{"k": "a", "x": 1, "y": "one"}, {"k": "b", "x": -1, "y": "two"}]
    answer = post(root, f"projects/{world.project}/feature-views/v/rows", {"rows": rows})
    assert (answer.status_code, answer.json()["written"]) == (200, 1)
    assert (answer.json()["refused"][0]["index"], answer.json()["refused"][0]["field"]) == (1, "x")
    assert (world.values("a"), world.values("b")) == ((1, "one"), None)
    kept = root.get(f"/api/v1/projects/{world.project}/refused-rows").json()["items"]
    assert [(row["field"], '"two"' in row["payload"]) for row in kept] == [("x", True)]
    blind = client_of("read").get(f"/api/v1/projects/{world.project}/refused-rows").json()["items"]
    assert (blind[0]["payload"], blind[0]["message"]) == (None, None)


def test_a_repeated_key_gets_the_first_answer(world, root):
    address = f"projects/{world.project}/feature-views/v/rows"
    first = post(root, address, {"rows": [{"k": "a", "x": 1}]}, idempotency_key="1")
    again = post(root, address, {"rows": [{"k": "a", "x": 1}]}, idempotency_key="1")
    assert (first.json(), again["Idempotency-Replayed"]) == (again.json(), "true")


def _die(*_):
    raise KeyboardInterrupt  # as good as a kill: nothing catches it


@pytest.mark.parametrize("rows", [[{"k": "a", "x": 1}, {"k": "b", "x": -1}], [{"k": "b", "x": -1}]])
def test_rows_of_a_request_that_died_before_its_answer_are_counted_once(world, root, monkeypatch, rows):
    address = f"projects/{world.project}/feature-views/v/rows"
    real = idempotency._keep
    monkeypatch.setattr(idempotency, "_keep", _die)
    with pytest.raises(KeyboardInterrupt):
        post(root, address, {"rows": rows}, idempotency_key="1")
    monkeypatch.setattr(idempotency, "_keep", real)
    monkeypatch.setattr(idempotency, "ABANDONED", timedelta(0))
    for _ in range(2):
        again = post(root, address, {"rows": rows}, idempotency_key="1").json()
        assert len(again.get("refused", again.get("errors"))) == 1
    counts = world.latest("direct").counts
    assert (counts.read, counts.refused) == (len(rows), 1)
    refused = root.get(f"/api/v1/projects/{world.project}/refused-rows").json()["items"]
    assert len(refused) == 1


def test_of_two_holders_of_one_key_only_the_first_to_answer_counts(world, root, monkeypatch):
    """The first was so slow that it was taken for dead."""
    address = f"projects/{world.project}/feature-views/v/rows"
    real = idempotency._keep
    monkeypatch.setattr(idempotency, "ABANDONED", timedelta(0))

    def overtaken(*details):
        monkeypatch.setattr(idempotency, "_keep", real)
        assert post(root, address, {"rows": [{"k": "a", "x": 1}]}, idempotency_key="1").status_code == 200
        real(*details)

    monkeypatch.setattr(idempotency, "_keep", overtaken)
    assert post(root, address, {"rows": [{"k": "a", "x": 1}]}, idempotency_key="1").status_code == 200
    assert world.latest("direct").counts.read == 1


@pytest.fixture
def holder(monkeypatch):
    """Return a process in whose name requests claim their keys."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
        monkeypatch.setattr(processes, "this_process", lambda: processes._name_of(process.pid))
        yield process
        process.kill()


def test_the_key_of_a_request_that_was_killed_is_free_at_once_and_not_before(
    world, root, monkeypatch, holder
):
    address = f"projects/{world.project}/feature-views/v/rows"
    ask = functools.partial(post, root, address, {"rows": [{"k": "a", "x": 1}]}, idempotency_key="1")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(idempotency, "_keep", _die)
        ask()
    monkeypatch.undo()  # from here on this is the process that was started after it
    assert (ask().status_code, ask().json()["code"]) == (409, "idempotency_key_in_use")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert ask().json()["written"] + ask().json()["unchanged"] == 1
    assert world.latest("direct").counts.read == 1


def test_of_two_that_find_a_killed_holder_one_runs(world, root, monkeypatch, holder):
    address = f"projects/{world.project}/feature-views/v/rows"
    ask = functools.partial(post, root, address, {"rows": [{"k": "a", "x": 1}]}, idempotency_key="1")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(idempotency, "_keep", _die)
        ask()
    monkeypatch.undo()
    holder.kill()
    holder.wait()
    real, second = processes.is_gone, []

    def look(name):
        """While the first looks, the second takes the key and goes to work."""
        if not second:
            second.append(None)
            with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
                patched.setattr(idempotency, "_keep", _die)
                ask()
        return real(name)

    monkeypatch.setattr(processes, "is_gone", look)
    assert ask().status_code == 409


def test_a_heartbeat_moves_the_watermark(world, root):
    as_of = clock.now().replace(microsecond=0)
    body = {"as_of": as_of.isoformat(), "writer": "w"}
    assert post(root, f"projects/{world.project}/feature-views/v/heartbeat", body).status_code == 204
    assert world.watermark("direct") == as_of


def test_a_run_is_queued_read_cancelled_and_retried(world, root):
    answer = post(root, f"projects/{world.project}/feature-views/v/runs", {"lane": "batch", "full": True})
    assert answer.status_code == 202
    url = answer.json()["run"]["url"]
    assert (root.get(url).json()["state"], root.get(url).json()["full"]) == ("queued", True)
    assert root.get(f"/api/v1/projects/{world.project}/runs?state=queued").json()["items"][0]["view"] == "v"
    assert root.post(f"{url}/release").status_code == 409
    assert root.post(f"{url}/cancel").status_code == 202
    assert root.get(url).json()["state"] == "aborted"
    assert root.post(f"{url}/retry").json()["run"]["url"] != url


def test_who_lacks_scope_or_project_is_turned_away(world, root):
    address = f"projects/{world.project}/feature-views/v"
    url = post(root, f"{address}/runs", {"lane": "batch"}).json()["run"]["url"]
    reader, stranger = client_of("read"), client_of("read", "operate", projects=["elsewhere"])
    assert post(reader, f"{address}/rows", {"rows": []}).status_code == 403
    assert reader.post(f"{url}/cancel").status_code == 403
    assert (stranger.get(url).status_code, stranger.post(f"{url}/cancel").status_code) == (404, 404)
    assert Client().get(url).status_code == 401
