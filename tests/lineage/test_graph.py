"""The graph is the same whatever the order and however often events come."""

import json
import os
import random
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from controlplane.kernel import clock
from lineage import selectors, services
from lineage.domain import naming
from lineage.domain.events import parse
from lineage.domain.merging import RunState, merge_facets, merge_run
from lineage.models import Alias, Edge, Node, NodeState, RawEvent, Run
from lineage.selectors.graph import GraphRequest
from lineage.services import projection

from .story import NOON, dataset, facet, minutes, pipeline, run_event


def load(events, *, now=NOON):
    for event in events:
        services.receive_event(event, now=now)
    while services.project_pending(now=now):
        pass


def whole_graph():
    """Everything that the tables say, without row numbers."""
    head = lambda row: (row.representative or row).node_id  # noqa: E731
    return {
        "nodes": sorted(
            (n.node_id, head(n), n.first_seen, n.last_seen, str(sorted(n.facets.items())))
            for n in Node.objects.all()
        ),
        "edges": sorted(
            (e.source.node_id, e.target.node_id, e.first_seen, e.last_seen) for e in Edge.objects.all()
        ),
        "runs": sorted(
            (
                str(r.run_id),
                r.job.node_id,
                r.state,
                r.started_at,
                r.ended_at,
                r.first_at,
                r.last_at,
                str(sorted(r.facets.items())),
            )
            for r in Run.objects.all()
        ),
        "aliases": sorted((a.one.node_id, a.other.node_id) for a in Alias.objects.all()),
    }


def clear():
    for model in (Alias, Edge, Run, Node, RawEvent, NodeState):
        model.objects.all().delete()


RUN_IDS = [str(uuid.UUID(int=number)) for number in (1, 2, 3)]
names = st.sampled_from(["raw", "gold", "mart"])
symlinked = st.builds(
    lambda other: facet(identifiers=[{"namespace": "hive", "name": other, "type": "TABLE"}]), names
)
datasets = st.builds(
    lambda name, link: dataset(name, **({"symlinks": link} if link else {})), names, st.none() | symlinked
)
events = st.builds(
    lambda job, state, minute, run_id, inputs, outputs: run_event(
        job, state, minutes(minute), run_id=run_id, inputs=inputs, outputs=outputs
    ),
    st.sampled_from(["extract", "refine"]),
    st.sampled_from(["START", "RUNNING", "COMPLETE", "FAIL", "OTHER"]),
    st.integers(0, 5),
    st.sampled_from(RUN_IDS),
    st.lists(datasets, max_size=2),
    st.lists(datasets, max_size=2),
)


class OrderFree(TestCase):
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(events, min_size=1, max_size=8), st.randoms(use_true_random=False), st.data())
    def test_any_shuffle_with_duplicates_gives_the_same_graph(self, story, rng, data):
        clear()
        load(story)
        expected = whole_graph()
        clear()
        again = [*story, *data.draw(st.lists(st.sampled_from(story), max_size=4))]
        rng.shuffle(again)
        load(again)
        assert whole_graph() == expected


@given(st.lists(events, max_size=6), st.randoms(use_true_random=False))
def test_merging_a_run_commutes_and_repeats_harmlessly(story, rng):
    parsed = [parse(event) for event in story]

    def merged(order):
        state, facets = RunState(), {}
        for event in order:
            state = merge_run(state, event.run, event)
            facets = merge_facets(facets, event.run.facets, at=event.at, digest=event.digest)
        return state, facets

    shuffled = [*parsed, *parsed]
    rng.shuffle(shuffled)
    assert merged(parsed) == merged(shuffled)


@pytest.mark.django_db
def test_a_late_start_never_reopens_a_run():
    run_id = RUN_IDS[0]
    load(
        [
            run_event("j", "COMPLETE", minutes(1), run_id=run_id),
            run_event("j", "START", minutes(2), run_id=run_id),
        ]
    )
    run = Run.objects.get()
    assert (run.state, run.ended_at) == ("COMPLETE", minutes(1))


@pytest.mark.django_db
def test_a_resent_event_is_stored_once():
    event = run_event("j", "START", NOON)
    assert services.receive_event(event, now=NOON) is True
    assert services.receive_event(event, now=minutes(1)) is False
    assert RawEvent.objects.count() == 1


@pytest.mark.django_db
def test_names_of_one_table_are_one_node_in_the_graph():
    link = facet(identifiers=[{"namespace": "hive", "name": "db.gold", "type": "TABLE"}])
    load(
        [
            run_event("writer", "COMPLETE", NOON, outputs=[dataset("gold", symlinks=link)]),
            run_event("reader", "COMPLETE", NOON, inputs=[dataset("db.gold", namespace="hive")]),
        ]
    )
    graph = selectors.draw_graph(GraphRequest(naming.job("etl", "reader"), up=2, down=0), now=NOON)
    assert {node.id for node in graph.nodes} == {"job:etl|reader", "dataset:hive|db.gold", "job:etl|writer"}


@pytest.mark.django_db
def test_a_cycle_ends_the_walk():
    load([run_event("loop", "COMPLETE", NOON, inputs=[dataset("x")], outputs=[dataset("x")])])
    graph = selectors.draw_graph(GraphRequest(naming.job("etl", "loop"), up=9, down=9), now=NOON)
    assert len(graph.nodes) == 2


@pytest.mark.django_db
def test_a_hub_is_cut_at_the_limit_with_the_worst_kept_and_the_rest_counted():
    load([run_event("hub", "COMPLETE", NOON, outputs=[dataset(f"d{n:03}") for n in range(60)])])
    services.record_state("dataset:s3://lake|d042", state="stale", at=NOON)
    graph = selectors.draw_graph(GraphRequest(naming.job("etl", "hub"), limit=10), now=NOON)
    assert len(graph.nodes) == 10
    assert graph.left_out == 51
    assert graph.nodes[0].id == "dataset:s3://lake|d042"
    hub = next(node for node in graph.nodes if node.id == "job:etl|hub")
    assert (hub.down_total, hub.down_drawn) == (60, 9)


@pytest.mark.django_db
def test_nodes_of_projects_that_may_not_be_read_are_only_counted():
    load(pipeline())
    request = GraphRequest(naming.dataset("s3://lake", "gold"), readable=frozenset({"other"}))
    graph = selectors.draw_graph(request, now=NOON)
    gold = next(node for node in graph.nodes if node.id.endswith("|gold"))
    assert {node.id for node in graph.nodes} == {"dataset:s3://lake|gold", "job:etl|refine"}
    assert (gold.down_total, gold.down_drawn, gold.hidden) == (3, 0, 3)


@pytest.mark.django_db
def test_a_state_that_nobody_renewed_is_no_data():
    load(pipeline())
    services.record_state("view:shop/a", state="fresh", at=NOON, valid_until=minutes(1))
    request = GraphRequest(naming.view("shop", "a"), up=0, down=0)
    assert selectors.draw_graph(request, now=minutes(1)).nodes[0].shown.state == "fresh"
    later = minutes(1) + (minutes(1) - NOON) / 60_000_000
    assert selectors.draw_graph(request, now=later).nodes[0].shown.state == "no_data"


@pytest.mark.django_db
def test_while_nobody_takes_events_in_a_good_run_proves_nothing_and_a_bad_one_stays_bad():
    load([run_event("good", "COMPLETE", NOON, outputs=[dataset("d")]), run_event("bad", "FAIL", NOON)])
    looks = {"good": "fresh", "bad": "missing"}
    for after, seen in ((timedelta(seconds=10), "fresh"), (timedelta(seconds=10.1), "no_data")):
        for job in ("good", "bad"):
            graph = selectors.draw_graph(GraphRequest(naming.job("etl", job)), now=NOON + after)
            states = {node.shown.state for node in graph.nodes}
            assert states == {seen if looks[job] == "fresh" else looks[job]}
    services.project_pending(now=minutes(1))
    graph = selectors.draw_graph(GraphRequest(naming.job("etl", "good")), now=minutes(1))
    assert {node.shown.state for node in graph.nodes} == {"fresh"}


@pytest.mark.django_db
def test_the_queries_of_a_graph_do_not_grow_with_its_nodes(django_assert_max_num_queries):
    load([run_event("hub", "COMPLETE", NOON, outputs=[dataset(f"d{n:03}") for n in range(100)])])
    with django_assert_max_num_queries(40):
        selectors.draw_graph(GraphRequest(naming.job("etl", "hub")), now=NOON)


@pytest.mark.django_db
def test_a_crash_in_the_middle_of_a_batch_leaves_all_of_it_pending(monkeypatch):
    for event in pipeline():
        services.receive_event(event, now=NOON)
    calls = iter(range(3))

    def crash(event):
        if next(calls) == 2:
            raise OperationalError("the connection is gone")

    monkeypatch.setattr("lineage.services.projection.project_event", crash)
    with pytest.raises(OperationalError):
        services.project_pending(now=NOON)
    assert selectors.pending_events() == len(pipeline())


@pytest.mark.django_db
def test_an_event_that_breaks_the_projection_holds_up_no_other(monkeypatch):
    """Whatever is wrong with it: of a fault that nobody foresaw, one event is to blame, not all after it."""
    story = pipeline()
    for event in story:
        services.receive_event(event, now=NOON)
    place = projection.project_event

    def choke(event):
        if event.job == naming.job("etl", "refine"):
            raise UnicodeEncodeError("utf-8", "job\ud800", 3, 4, "surrogates not allowed")
        place(event)

    monkeypatch.setattr("lineage.services.projection.project_event", choke)
    assert services.project_pending(now=NOON) == len(story)
    assert selectors.pending_events() == 0
    assert selectors.misplaced_events(since=NOON) == 1
    assert "surrogates not allowed" in RawEvent.objects.exclude(error="").get().error
    assert {row.name for row in Node.objects.filter(kind="job")} >= {"extract", "unrelated", "a.batch"}


@pytest.mark.django_db
def test_the_oldest_waiting_event_tells_how_far_behind_the_graph_is():
    assert selectors.oldest_pending_at() is None
    for minute, event in enumerate(pipeline()):
        services.receive_event(event, now=minutes(minute))
    assert selectors.oldest_pending_at() == NOON
    services.project_pending(now=NOON)
    assert selectors.oldest_pending_at() is None


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_the_reference_events_give_the_reviewed_graph(seed, pytestconfig):
    """Real producers' events from FRESHLINE_TEST_OPENLINEAGE_EVENTS when it names a folder, else our own."""
    folder = os.environ.get("FRESHLINE_TEST_OPENLINEAGE_EVENTS")
    golden = (
        Path(__file__).parents[1] / "golden" / ("openlineage_graph.json" if folder else "pipeline_graph.json")
    )
    story = (
        [json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))] if folder else _fixed()
    )
    shuffled = [*story, *story[::3]]
    random.Random(seed).shuffle(shuffled)
    load(shuffled)
    found = {
        "counts": {
            "nodes": Node.objects.count(),
            "edges": Edge.objects.count(),
            "runs": Run.objects.count(),
            "aliases": Alias.objects.count(),
        },
        "edges": [f"{source} -> {target}" for source, target, *_ in whole_graph()["edges"]],
        "runs": sorted(f"{r.job.node_id} {r.state}" for r in Run.objects.all()),
    }
    if pytestconfig.getoption("--rewrite"):
        golden.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(golden.read_text())


def _fixed():
    story = pipeline()
    for number, event in enumerate(story):
        event["run"]["runId"] = str(uuid.UUID(int=number + 1))
    return story


@pytest.mark.django_db
def test_a_state_history_has_one_present():
    for at, state in ((0, "fresh"), (1, "stale"), (2, "stale"), (3, "fresh")):
        services.record_state("view:shop/a", state=state, at=minutes(at))
    history = NodeState.objects.order_by("since").values_list("state", "since", "until")
    assert list(history) == [
        ("fresh", NOON, minutes(1)),
        ("stale", minutes(1), minutes(3)),
        ("fresh", minutes(3), None),
    ]
    assert services.record_state("view:shop/a", state="late", at=minutes(2)) is False


@pytest.mark.django_db
def test_only_projected_events_past_retention_are_swept():
    load(pipeline())
    services.receive_event(run_event("new", "START", NOON), now=NOON)
    week = clock.from_us(7 * 86_400_000_000) - clock.EPOCH
    assert services.sweep_events(now=NOON + week, retention=week) == 0
    assert services.sweep_events(now=minutes(1) + week, retention=week) == len(pipeline())
    assert Edge.objects.exists()
