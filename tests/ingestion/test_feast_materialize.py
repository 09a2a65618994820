"""Feast's materializing: batch runs of views, waited for or not, in Feast's own answers."""

import json
from datetime import timedelta

import pytest

from controlplane.ingestion.api import feast as feast_api
from controlplane.ingestion.domain.runs import RunState
from controlplane.ingestion.models import IngestionRun
from controlplane.ingestion.services import materializing, runs
from controlplane.kernel import clock
from tests.ingestion.test_api import client_of
from tests.ingestion.test_batch import BATCH, SOURCE
from tests.ingestion.world import KEY, view_document

WINDOW = {"start_ts": "2026-11-22T00:00:00", "end_ts": "2026-11-23T00:00:00"}


@pytest.fixture
def feast(world):
    world.write_parquet("s.parquet", [("a", 1, "one", world.now)])
    world.apply(
        entities=[KEY],
        sources=[SOURCE],
        feature_views=[
            view_document(batch=BATCH),
            view_document(name="w", batch=BATCH),
            view_document(name="pushed", direct=True),
        ],
    )
    client = client_of("operate", "read")

    def ask(path, body=None, **headers):
        named = {"Freshline-Project": world.project, **headers}
        with clock.fixed(lambda: world.now):
            return client.post(
                f"/api/v1/feast/{path}",
                json.dumps(WINDOW if body is None else body),
                content_type="application/json",
                headers=named,
            )

    return ask


@pytest.fixture
def worker(world, monkeypatch):
    """Takes what is queued whenever somebody waits for it; returns how often that was."""
    waits = []

    class Waiting:
        def wait(self, seconds):
            waits.append(seconds)
            for run in IngestionRun.objects.filter(state=RunState.QUEUED).order_by("pk"):
                world.execute(run.pk)

    monkeypatch.setattr(feast_api, "Event", Waiting)
    return waits


def states(world):
    return sorted(IngestionRun.objects.filter(project=world.project).values_list("view", "state"))


def said(answer):
    return answer.status_code, json.loads(answer.json())["message"]


def test_materializing_runs_every_batch_view_and_answers_null_once_they_have_ended(world, feast, worker):
    answer = feast("materialize")
    assert (answer.status_code, answer.content) == (200, b"null")
    assert states(world) == [("v", "succeeded"), ("w", "succeeded")]
    assert world.values("a") == (1, "one")
    assert worker == [0.5]


def test_only_the_views_that_are_named_are_run(world, feast, worker):
    answer = feast("materialize-incremental", {"end_ts": "2026-11-23", "feature_views": ["w", "w"]})
    assert (answer.status_code, answer.content) == (200, b"null")
    assert states(world) == [("w", "succeeded")]


def test_async_is_accepted_at_once_and_a_second_one_is_a_conflict(world, feast):
    first = feast("materialize?async=true")
    assert (first.status_code, first.json()) == (202, {"status": "accepted", "feature_views": ["v", "w"]})
    assert states(world) == [("v", "queued"), ("w", "queued")]
    second = feast("materialize-incremental?async=true", {"end_ts": "2026-11-23", "feature_views": ["w"]})
    assert (second.status_code, second.json()["feature_views"]) == (409, ["w"])
    assert "['w']" in second.json()["error"]
    forced = feast("materialize?async=true&force=true")
    assert forced.status_code == 202
    assert states(world) == [("v", "queued"), ("w", "queued")]


def test_a_run_that_takes_longer_than_the_caller_waits_is_told_and_goes_on(world, feast, monkeypatch):
    looked = []
    monkeypatch.setattr(
        feast_api, "Event", type("Idle", (), {"wait": lambda self, seconds: looked.append(seconds)})
    )
    answer = feast("materialize", **{"X-Request-Timeout-Ms": "1500"})
    assert (answer.status_code, answer.json()["feature_views"]) == (409, ["v", "w"])
    assert "still at work" in answer.json()["error"]
    assert looked == [0.5] * 3
    assert states(world) == [("v", "queued"), ("w", "queued")]


def test_a_run_that_fails_is_told_with_its_reason_and_is_not_worth_another_try(world, feast, worker):
    (world.data / "s.parquet").unlink()
    status, message = said(feast("materialize", WINDOW | {"feature_views": ["v"]}))
    assert status == 422
    assert "of feature view v is failed: " in message
    assert "[source_missing]" in message


def test_a_run_that_is_held_is_told_with_its_reason(world, feast, monkeypatch):
    def hold(self, seconds):
        queued = IngestionRun.objects.get(state=RunState.QUEUED)
        claim = runs.claim_run(queued.pk, worker="w", now=world.now, lease=timedelta(minutes=1))
        runs.move_run(claim, RunState.HELD, now=world.now, hold_reason="looks odd")

    monkeypatch.setattr(feast_api, "Event", type("Holding", (), {"wait": hold}))
    status, message = said(feast("materialize", WINDOW | {"feature_views": ["v"]}))
    assert status == 422
    assert "of feature view v is held: looks odd" in message


@pytest.mark.parametrize(
    ("path", "body", "status", "part"),
    [
        ("materialize", {}, 422, "start_ts and end_ts are required"),
        ("materialize", {"start_ts": "2026-11-23", "end_ts": "2026-11-22"}, 422, "must be before"),
        ("materialize", {"start_ts": "soon", "end_ts": "2026-11-22"}, 422, "start_ts: 'soon'"),
        ("materialize", WINDOW | {"feature_views": ["nope"]}, 404, "'nope'"),
        ("materialize", WINDOW | {"feature_views": ["pushed"]}, 422, "no batch lane"),
        ("materialize", WINDOW | {"version": "v2"}, 422, "no versions of their own"),
        ("materialize?async=maybe", WINDOW, 422, "write true or false"),
        ("materialize-incremental", {"end_ts": "soon"}, 422, "end_ts: 'soon'"),
    ],
)
def test_a_callers_mistake_queues_nothing(world, feast, path, body, status, part):
    found = said(feast(path, body))
    assert found[0] == status
    assert part in found[1]
    assert states(world) == []


def test_disabled_event_timestamps_need_no_window(feast, worker):
    assert feast("materialize", {"disable_event_timestamp": True}).status_code == 200


def test_a_timeout_that_is_none_is_refused_before_anything_is_queued(world, feast):
    for wrong in ("0", "-1", "soon", "1" * 10, "٣"):
        assert feast("materialize", **{"X-Request-Timeout-Ms": wrong}).status_code == 422
    assert states(world) == []


def test_a_store_that_is_feasts_is_not_materialized(world, feast, settings):
    settings.STORE_URL = "feast+redis://127.0.0.1:9/0"
    status, message = said(feast("materialize"))
    assert status == 422
    assert "[store_read_only]" in message
    assert states(world) == []


def test_what_was_asked_stands_in_the_audit_log(world, feast):
    feast("materialize?async=true")
    entries = client_of("read").get("/api/v1/audit").json()["items"]
    assert [each["action"] for each in entries if each["project"] == world.project].count("run") == 2


def test_asking_again_with_the_same_key_hears_how_the_runs_ended(world, feast, monkeypatch):
    monkeypatch.setattr(feast_api, "Event", type("Idle", (), {"wait": lambda self, seconds: None}))
    asked = {"X-Request-Timeout-Ms": "1", "Idempotency-Key": "tonight"}
    assert feast("materialize", **asked).status_code == 409
    for run in IngestionRun.objects.filter(state=RunState.QUEUED).order_by("pk"):
        world.execute(run.pk)
    monkeypatch.setattr(feast_api, "Event", type("Working", (), {"wait": lambda self, _: run_all(world)}))
    assert feast("materialize", **asked | {"X-Request-Timeout-Ms": "5000"}).status_code == 200


def run_all(world):
    for run in IngestionRun.objects.filter(state=RunState.QUEUED).order_by("pk"):
        world.execute(run.pk)


def test_only_a_few_callers_wait_and_the_next_is_told_at_once(world, feast, worker):
    places = [materializing._PLACES.acquire(blocking=False) for _ in range(materializing.MAX_WAITERS)]
    try:
        answer = feast("materialize")
        assert answer.status_code == 409
        assert "queued" in answer.json()["error"] and "async=true" in answer.json()["error"]
        assert worker == []
    finally:
        materializing._PLACES.release(len(places))
    assert places == [True] * 4
    assert feast("materialize").status_code == 200  # the runs that were queued, and its place is free again
    assert feast("materialize").status_code == 200
    assert len(places) == sum(materializing._PLACES.acquire(blocking=False) for _ in range(5))
    materializing._PLACES.release(len(places))
