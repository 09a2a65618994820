"""Which node explains that a view went bad."""

import pytest

from lineage import selectors, services
from lineage.domain.causes import CauseKind, Confidence

from .story import NOON, dataset, minutes, pipeline, run_event
from .test_graph import load

pytestmark = pytest.mark.django_db


def causes(view="a", *, as_of=NOON, bad_since=minutes(30)):
    return selectors.find_causes(f"view:shop/{view}", as_of=as_of, bad_since=bad_since)


def failed(job, at, error="disk full"):
    return run_event(job, "FAIL", minutes(at), error=error)


def test_a_healthy_pipeline_explains_nothing():
    load(pipeline())
    assert causes() == []


def test_a_job_that_failed_two_hops_above_is_the_cause_and_the_unrelated_one_is_not():
    load([*pipeline(), failed("extract", 10), failed("unrelated", 9, "nothing to do with it")])
    (cause,) = causes()
    assert (cause.node_id, cause.kind, cause.reason) == ("job:etl|extract", CauseKind.FAILED_RUN, "disk full")
    assert cause.confidence is Confidence.HIGH
    assert cause.path == (
        "job:etl|extract",
        "dataset:s3://lake|raw",
        "job:etl|refine",
        "dataset:s3://lake|gold",
        "job:freshline://shop|a.batch",
        "view:shop/a",
    )


def test_three_views_below_share_the_cause():
    load([*pipeline(), failed("extract", 10)])
    assert {causes(view)[0].node_id for view in "abc"} == {"job:etl|extract"}


def test_a_failure_reported_after_the_breach_still_explains_it_when_nothing_good_came_since():
    load([*pipeline(), failed("extract", 45)])
    (cause,) = causes(bad_since=minutes(30))
    assert (cause.node_id, cause.confidence) == ("job:etl|extract", Confidence.HIGH)


def test_a_first_run_that_fails_after_the_breach_is_shown_with_low_confidence():
    load([*pipeline(), run_event("newcomer", "FAIL", minutes(45), outputs=[dataset("gold")])])
    (cause,) = causes(bad_since=minutes(30))
    assert (cause.node_id, cause.confidence) == ("job:etl|newcomer", Confidence.LOW)


def test_the_most_upstream_failure_wins_over_those_it_caused():
    load([*pipeline(), failed("refine", 8), failed("extract", 10)])
    assert [cause.node_id for cause in causes()] == ["job:etl|extract", "job:etl|refine"]


def test_a_job_that_recovered_explains_nothing():
    load([*pipeline(), failed("extract", 10), run_event("extract", "COMPLETE", minutes(12))])
    assert causes() == []


def test_good_output_that_the_view_has_not_read_means_the_trouble_lies_below():
    load([*pipeline(), run_event("extract", "COMPLETE", minutes(10)), failed("extract", 20)])
    assert causes() == []


def test_a_source_that_stands_still_while_our_runs_succeed_is_named_stopped():
    story = pipeline()
    read = run_event(
        "a.batch",
        "COMPLETE",
        minutes(20),
        namespace="freshline://shop",
        inputs=[dataset("gold")],
        outputs=[dataset("a", namespace="freshline://shop")],
        own={"watermarkAfter": NOON.isoformat(), "hollow": None},
    )
    load([*story, read])
    (cause,) = causes()
    assert (cause.node_id, cause.kind) == ("dataset:s3://lake|gold", CauseKind.STOPPED_SOURCE)
    assert "no progress since 2026-11-23 12:00:00" in cause.reason


def test_what_monitors_told_is_enough_to_name_the_stopped_source_without_an_incident():
    test_a_source_that_stands_still_while_our_runs_succeed_is_named_stopped()
    assert selectors.causes_now("view:shop/a") == []  # nothing is bad yet
    services.record_state("view:shop/a", state="stale", at=minutes(30), as_of=NOON)
    services.record_state("view:shop/a", state="stale", at=minutes(31), as_of=minutes(25))
    (cause,) = selectors.causes_now("view:shop/a")  # from where it was when it turned bad
    assert (cause.node_id, cause.kind) == ("dataset:s3://lake|gold", CauseKind.STOPPED_SOURCE)


def test_a_failed_job_above_the_stopped_source_is_the_cause():
    test_a_source_that_stands_still_while_our_runs_succeed_is_named_stopped()
    load([failed("extract", 10)])
    assert causes()[0].node_id == "job:etl|extract"


def test_our_own_job_that_fails_is_the_cause():
    own = run_event("a.batch", "FAIL", minutes(10), namespace="freshline://shop", error="source file is gone")
    load([*pipeline(), own])
    (cause,) = causes()
    assert (cause.node_id, cause.reason) == ("job:freshline://shop|a.batch", "source file is gone")


def test_a_job_that_monitors_call_late_is_the_cause():
    load(pipeline())
    services.record_state(
        "job:freshline://shop|a.batch", state="late", at=minutes(20), detail="due 12:20, not started"
    )
    (cause,) = causes()
    assert (cause.kind, cause.reason) == (CauseKind.LATE_RUN, "due 12:20, not started")


def test_a_view_that_nobody_knows_has_no_cause():
    assert causes("nobody") == []


def test_a_retired_edge_carries_no_blame():
    from lineage.models import Edge

    load([*pipeline(), failed("extract", 10)])
    Edge.objects.filter(target__node_id="job:etl|refine").update(retired_at=NOON)
    assert causes() == []
