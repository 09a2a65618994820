"""One page per cause: decided in plain Python, in whatever order things come."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.domain.folding import Cause, CauseKind, Confidence, OpenIncident, choose, fold, grace_of, merges
from monitors.domain.incidents import Family

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FRESHNESS, VALIDITY, PRESENCE = Family.FRESHNESS, Family.VALIDITY, Family.PRESENCE


def cause(node="job:etl|refine", *, hops=2, minutes=0, kind=CauseKind.FAILED_RUN, confidence=Confidence.HIGH):
    return Cause(node, kind, "run-1", "disk full", confidence, NOON + timedelta(minutes=minutes), hops)


def incident(number, *, cause_node=None, parent=None, notified=True, family=FRESHNESS):
    return OpenIncident(number, family, cause_node, parent, notified)


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ([], None),
        ([cause("a", hops=1), cause("b", hops=3)], "b"),
        ([cause("a", minutes=2), cause("b", minutes=1)], "b"),
        ([cause("b"), cause("a")], "a"),
        ([cause("a", hops=9, confidence=Confidence.LOW), cause("b", hops=1)], "b"),
    ],
)
def test_the_most_upstream_wins_then_the_earliest_then_the_name(causes, expected):
    found, others = choose(causes, family=FRESHNESS)
    assert (found.node if found else None) == expected
    assert len(others) == max(0, len(causes) - 1)


@pytest.mark.parametrize(
    ("kind", "family", "explains"),
    [
        (CauseKind.FAILED_RUN, FRESHNESS, True),
        (CauseKind.STOPPED_SOURCE, PRESENCE, True),
        (CauseKind.STORE, FRESHNESS, True),
        (CauseKind.FAILED_RUN, VALIDITY, False),
        (CauseKind.SCHEMA, VALIDITY, True),
        (CauseKind.SCHEMA, FRESHNESS, False),
        (CauseKind.FAILED_RUN, Family.META, False),
    ],
)
def test_families_match_their_causes(kind, family, explains):
    assert (choose([cause(kind=kind)], family=family)[0] is not None) is explains


def test_a_second_symptom_joins_the_root_of_its_cause():
    placed = fold(cause(), (), [incident(1), incident(2, cause_node="job:etl|refine")])
    assert placed.parent == 2


def test_an_unsure_cause_is_shown_and_never_folded():
    unsure = cause(confidence=Confidence.LOW)
    placed = fold(unsure, (), [incident(2, cause_node=unsure.node)])
    assert (placed.parent, placed.cause) == (None, unsure)


def test_nothing_folds_into_a_child():
    placed = fold(cause(), (), [incident(3, cause_node="job:etl|refine", parent=1)])
    assert placed.parent is None


def test_of_two_roots_with_one_cause_the_one_that_was_notified_stays():
    found = merges(
        [
            incident(1, cause_node="c", notified=False),
            incident(2, cause_node="c"),
            incident(3, cause_node="c"),
            incident(4),
        ]
    )
    assert [(merge.younger, merge.elder) for merge in found] == [(1, 2), (3, 2)]


def test_a_child_without_its_parent_waits_at_least_two_minutes():
    assert grace_of(timedelta(seconds=30)) == timedelta(minutes=2)
    assert grace_of(timedelta(minutes=5)) == timedelta(minutes=10)


class World:
    """Folding as the services do it, on records alone: breaches and lineage news in any order."""

    def __init__(self):
        self.incidents = {}
        self.pages = 0

    def breach(self, view, causes):
        found, others = choose(causes, family=FRESHNESS)
        placed = fold(found, others, self.incidents.values())
        node = found.node if found and found.confidence is Confidence.HIGH else None
        number = len(self.incidents) + 1
        self.incidents[view] = OpenIncident(number, FRESHNESS, node, placed.parent, placed.parent is None)
        self.pages += placed.parent is None

    def learn(self, causes_of):
        for view, one in self.incidents.items():
            if one.parent is None and one.cause_node is None:
                found, _ = choose(causes_of[view], family=FRESHNESS)
                if found is not None:
                    self.incidents[view] = replace(one, cause_node=found.node)
        for merge in merges(self.incidents.values()):
            for view, one in self.incidents.items():
                if merge.younger in (one.number, one.parent):
                    self.incidents[view] = replace(one, parent=merge.elder)

    def roots(self):
        return [one for one in self.incidents.values() if one.parent is None]


@given(
    causes=st.lists(st.sampled_from(["a", "b", None]), min_size=1, max_size=30),
    known_from=st.integers(0, 30),
    seed=st.integers(),
)
def test_in_any_order_each_cause_ends_with_one_root_and_depth_is_one(causes, known_from, seed):
    views = [(f"v{n}", [cause(node)] if node else []) for n, node in enumerate(causes)]
    random.Random(seed).shuffle(views)
    causes_of, world = dict(views), World()
    for n, (view, found) in enumerate(views):
        world.breach(view, found if n >= known_from else [])
        if n >= known_from:
            world.learn(causes_of)
    world.learn(causes_of)
    by_cause = {node: sum(c == node for c in causes) for node in set(causes)}
    expected = sum(count if node is None else 1 for node, count in by_cause.items())
    assert len(world.roots()) == expected
    by_number = {one.number: one for one in world.incidents.values()}
    assert all(by_number[one.parent].parent is None for one in by_number.values() if one.parent)
    assert not merges(world.incidents.values())


@given(st.integers(1, 10_000))
def test_any_number_of_breaches_of_one_known_cause_is_one_page(count):
    world = World()
    for n in range(min(count, 300)):
        world.breach(f"v{n}", [cause()])
    assert world.pages == 1
