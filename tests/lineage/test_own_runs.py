"""What ingestion tells of its runs is what lineage reads of them."""

import json

import pytest
from openlineage.client.serde import Serde

from controlplane.ingestion.domain.lineage_events import build_event
from lineage import services
from lineage.domain.causes import Breach, CauseKind, RunRecord, Upstream, explain
from lineage.domain.own_runs import OwnFacts, read_own_facts
from lineage.selectors import causes_now
from tests.lineage.story import NOON, minutes
from tests.lineage.test_api import token
from tests.lineage.test_causes import causes, load, pipeline

FACTS = {
    "run_id": "0195a1b2-0000-7000-8000-000000000001",
    "namespace": "freshline://shop",
    "job": "a.batch",
    "view": "a",
    "lane": "batch",
    "run_number": 7,
    "phase": "publish",
    "hollow": None,
    "watermark_before": None,
    "watermark_after": "2026-11-23T12:00:00.000000Z",
    "nominal_time": None,
    "error": None,
    "counts": {"written": 0},
    "schema": [],
    "inputs": [{"namespace": "s3://lake", "name": "gold"}],
}


def told(**changes):
    """Return the event of a run that ended twenty minutes after noon, as ingestion emits it."""
    return json.loads(Serde.to_json(build_event("COMPLETE", at=minutes(20), facts=FACTS | changes)))


def test_the_watermark_and_hollowness_that_a_run_tells_are_read():
    facets = told(hollow="read 0 rows where the last run read 3")["run"]["facets"]
    assert read_own_facts(facets) == OwnFacts("batch", hollow=True, watermark=NOON)
    assert read_own_facts(told(watermark_after=None)["run"]["facets"]) == OwnFacts("batch")


def test_a_look_that_a_running_stream_tells_is_read():
    facets = told(looked_at="2026-11-23T12:20:00.000000Z", lane="stream")["run"]["facets"]
    assert read_own_facts(facets) == OwnFacts("stream", watermark=NOON, looked_at=minutes(20))


def stream_told(event, *, at, looked_at):
    look = None if looked_at is None else f"2026-11-23T12:{looked_at:02}:00.000000Z"
    facts = FACTS | {"lane": "stream", "looked_at": look}
    return json.loads(Serde.to_json(build_event(event, at=minutes(at), facts=facts)))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("looked_at", "found"),
    [
        (20, ["dataset:s3://lake|gold"]),
        (14, []),  # nobody looked for longer than the source rested until then
        (None, []),
    ],
)
def test_a_source_that_a_running_stream_finds_standing_still_is_named_before_the_run_ends(looked_at, found):
    load([*pipeline(), stream_told("START", at=1, looked_at=None)])
    load([stream_told("RUNNING", at=looked_at or 20, looked_at=looked_at)])
    assert [cause.node_id for cause in causes(bad_since=minutes(30))] == found


@pytest.mark.django_db
def test_a_source_that_our_run_found_standing_still_is_named():
    load([*pipeline(), told()])
    (cause,) = causes()
    assert (cause.node_id, cause.kind) == ("dataset:s3://lake|gold", CauseKind.STOPPED_SOURCE)


@pytest.mark.parametrize(
    "facet",
    [{}, {"watermarkAfter": 12}, {"watermarkAfter": "yesterday"}, {"watermarkAfter": "9999999-01-01"}],
)
def test_a_facet_that_somebody_made_up_says_nothing(facet):
    assert read_own_facts({"freshline": facet}) == OwnFacts()


@pytest.mark.django_db
def test_who_does_not_know_the_as_of_takes_what_our_runs_told():
    load([*pipeline(), told()])
    services.record_state("view:shop/a", state="stale", at=minutes(30))
    assert causes_now("view:shop/a") == causes(as_of=NOON) != []


@pytest.mark.django_db
def test_no_source_is_named_for_a_view_that_was_never_written():
    load([*pipeline(), told()])
    assert causes(as_of=None) == []


@pytest.mark.django_db
def test_no_source_is_named_that_went_on_since_the_view_went_bad():
    load([*pipeline(), told(watermark_after="2026-11-23T12:15:00Z")])
    services.record_state("view:shop/a", state="stale", at=minutes(14))
    assert causes_now("view:shop/a") == []


def explained(*, watermark, looked_at, lane="batch", bad_since=40):
    """Return what explains a breach ``bad_since`` minutes after noon; a batch's run takes five minutes."""
    started = looked_at if lane == "batch" else looked_at - 30
    run = RunRecord(
        "r",
        "COMPLETE",
        minutes(started),
        minutes(started + 5 if lane == "batch" else looked_at),
        watermark=minutes(watermark),
        lane=lane,
    )
    gold = Upstream("dataset:s3://lake|gold", False, ("dataset:s3://lake|gold", "view:shop/a"), (run,))
    return [cause.kind for cause in explain(Breach(NOON, minutes(bad_since)), [gold], own_reads={})]


@pytest.mark.parametrize(
    ("what", "found"),
    [
        (
            {"watermark": 0, "looked_at": 30},
            [CauseKind.STOPPED_SOURCE],
        ),  # read, and nothing newer
        ({"watermark": 0, "looked_at": 50}, [CauseKind.STOPPED_SOURCE]),
        ({"watermark": 0, "looked_at": 1}, []),  # our runs stopped: the source was right until the last look
        ({"watermark": 0, "looked_at": 20}, []),  # neither rested longer: no source is named on a coin's toss
        ({"watermark": 1, "looked_at": 39}, []),  # it did give something newer than the view's as-of
        ({"watermark": 0, "looked_at": 30, "lane": "stream"}, [CauseKind.STOPPED_SOURCE]),
        ({"watermark": 0, "looked_at": 1, "lane": "stream"}, []),
        ({"watermark": 0, "looked_at": 1, "lane": "direct"}, [CauseKind.STOPPED_SOURCE]),  # it pushes
    ],
)
def test_a_source_is_named_when_it_rested_longer_than_nobody_looked(what, found):
    assert explained(**what) == found


@pytest.mark.django_db
def test_the_api_names_a_stopped_source_of_a_bad_view_and_none_of_one_that_is_well(client):
    load([*pipeline(), told()])
    ask, headers = "/api/v1/lineage/root-cause?node=view:shop/a", token(scopes=["read"])
    assert client.get(ask, headers=headers).json()["cause"] is None
    services.record_state("view:shop/a", state="stale", at=minutes(25))
    assert client.get(ask, headers=headers).json()["cause"]["node"] == "dataset:s3://lake|gold"
