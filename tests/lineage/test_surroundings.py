"""Reading what surrounds a node in one statement gives what a walk step by step gives, for any graph."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.domain.naming import Kind, NodeRef
from lineage.models import Edge, Node
from lineage.selectors.closure import read_surroundings
from lineage.selectors.walking import Walk
from tests.lineage.story import NOON

pytestmark = pytest.mark.django_db
NODES = 9


def build(edges, aliases, retired):
    """A graph of numbered nodes; an alias (a, b) makes a a name of b, unless b is a name itself."""
    Node.objects.all().delete()
    kinds = (Kind.DATASET, Kind.JOB)
    refs = [NodeRef(kinds[n % 2], "ns", str(n)) for n in range(NODES)]
    rows = [
        Node.objects.create(
            digest=ref.digest,
            node_id=ref.id,
            kind=ref.kind.value,
            namespace="ns",
            name=ref.name,
            project="p" if number % 3 else "",
            first_seen=NOON,
            last_seen=NOON,
        )
        for number, ref in enumerate(refs)
    ]
    for name, head in aliases:
        if name != head and not rows[head].representative_id and not rows[name].members.exists():
            rows[name].representative = rows[head]
            rows[name].save()
    for number, (source, target) in enumerate(edges):
        Edge.objects.create(
            source=rows[source],
            target=rows[target],
            first_seen=NOON,
            last_seen=NOON,
            observed=True,
            retired_at=NOON if number in retired else None,
        )
    return rows


def stepwise(focus, up, down):
    walk, reached = Walk(), {focus}
    for hops, step in ((up, walk.upstream), (down, walk.downstream)):
        frontier = [focus]
        for _ in range(hops):
            frontier = sorted({other for others in step(frontier).values() for other in others})
            reached |= set(frontier)
    keys = sorted(reached)
    return walk.upstream(keys), walk.downstream(keys)


pairs = st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(pairs, max_size=16, unique=True),
    st.lists(pairs, max_size=3),
    st.sets(st.integers(0, 15), max_size=3),
    st.integers(0, NODES - 1),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_one_statement_reads_what_many_steps_read(edges, aliases, retired, start, up, down):
    rows = build(edges, aliases, retired)
    focus = rows[start].representative_id or rows[start].pk
    found = read_surroundings(rows[start].digest, up=up, down=down)
    ups, downs = stepwise(focus, up, down)
    if found.focus is None:
        assert (ups, downs) == ({}, {})
        return
    assert found.focus == focus
    assert {key: sorted(others) for key, others in found.up.items() if others} == ups
    assert {key: sorted(others) for key, others in found.down.items() if others} == downs
    projects = dict(Node.objects.values_list("pk", "project"))
    assert found.projects == {key: projects[key] for key in found.projects}


def test_an_unknown_node_has_no_surroundings():
    build([(0, 1)], [], set())
    assert read_surroundings("0" * 64, up=2, down=2).focus is None


def test_after_looking_around_a_walk_asks_nothing_more():
    rows = build([(n, n + 1) for n in range(8)], [], set())
    walk = Walk()
    focus = walk.look_around(rows[4].digest, up=2, down=2)
    with CaptureQueriesContext(connection) as asked:
        walk.upstream([focus, rows[3].pk, rows[2].pk])
        walk.downstream([focus, rows[5].pk, rows[6].pk])
        walk.rows([row.pk for row in rows[2:7]])
        walk.told([focus])
        walk.runs([rows[3].pk, rows[5].pk])
        walk.projects([rows[2].pk, rows[6].pk])
    assert len(asked) == 0
