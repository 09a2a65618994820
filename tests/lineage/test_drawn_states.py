"""What state a node is drawn in when nobody but its neighbours can tell."""

from itertools import pairwise

import pytest

from lineage import selectors, services
from lineage.domain import naming
from lineage.domain.naming import Kind, NodeRef
from lineage.models import Edge
from lineage.selectors.graph import GraphRequest
from lineage.services.projection import ensure_nodes

from .story import NOON, minutes, pipeline
from .test_graph import load
from .test_own_runs import told

pytestmark = pytest.mark.django_db


def states(node, **hops):
    services.project_pending(now=minutes(30))  # somebody takes events in, to the end
    graph = selectors.draw_graph(GraphRequest(naming.parse_id(node), **hops), now=minutes(30))
    return {each.id: (each.shown.state, each.shown.detail) for each in graph.nodes}


@pytest.fixture
def consumers():
    """View a feeds a ranker, which feeds a model."""
    load(pipeline())
    chain = [
        naming.view("shop", "a"),
        NodeRef(Kind.SERVICE, "shop", "ranker"),
        NodeRef(Kind.MODEL, "shop", "ranker@1"),
    ]
    rows = ensure_nodes(set(chain), at=NOON)
    for source, target in pairwise(chain):
        Edge.objects.create(
            source=rows[source], target=rows[target], declared=True, first_seen=NOON, last_seen=NOON
        )


@pytest.mark.parametrize("state", ["stale", "fresh"])
@pytest.mark.parametrize("focus", ["view:shop/a", "model:shop/ranker@1"])
def test_a_model_is_as_the_views_that_its_service_reads(consumers, state, focus):
    services.record_state("view:shop/a", state=state, at=minutes(20))
    found = states(focus, up=2, down=2)
    assert found["service:shop/ranker"][0] == state
    assert found["model:shop/ranker@1"][0] == state


def test_a_source_that_stopped_is_drawn_stale_although_its_maker_ended_well():
    load([*pipeline(), told()])
    services.record_state("view:shop/a", state="stale", at=minutes(25))
    found = states("view:shop/a", up=3)
    assert found["dataset:s3://lake|gold"] == ("stale", "no progress since 2026-11-23 12:00:00 UTC")
    assert found["job:etl|refine"][0] == "fresh"


def test_a_source_that_goes_on_is_as_its_maker():
    load([*pipeline(), told(watermark_after="2026-11-23T12:20:00Z")])
    services.record_state("view:shop/a", state="fresh", at=minutes(25))
    assert states("view:shop/a", up=3)["dataset:s3://lake|gold"][0] == "fresh"


@pytest.mark.parametrize(("said", "drawn"), [("fresh", "late"), ("late", "late")])
def test_a_job_that_comes_when_it_is_due_and_has_no_effect_is_drawn_by_the_worse(said, drawn):
    load([*pipeline(), told(hollow="read 0 rows where the last run read 3")])
    services.record_state("job:freshline://shop|a.batch", state=said, at=minutes(25))
    assert states("view:shop/a", up=1)["job:freshline://shop|a.batch"][0] == drawn
