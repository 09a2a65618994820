"""Two applies at once, on the real database, each in a connection of its own."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from controlplane.kernel.errors import Conflict
from controlplane.registry import selectors
from controlplane.registry.models import ApplyClaim, Bundle
from controlplane.registry.services import applying
from controlplane.registry.services.applying import Author, Conditions, apply_definition
from controlplane.registry.services.claims import LEASE, claimed
from controlplane.registry.services.planning import plan_definition
from tests.registry.story import NOW, flights, service, view

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Author("root", may_create_projects=True)


def at_once(*calls):
    """Run each in a thread, started together; returns results and errors, in order."""
    together = threading.Barrier(len(calls))
    answers = [None] * len(calls)

    def run(index, call):
        try:
            together.wait(timeout=20)
            answers[index] = call()
        except Conflict as refused:
            answers[index] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


def apply(**changes):
    project = changes.pop("project", "flights")
    return lambda: apply_definition(project, flights(project=project, **changes), author=ROOT, now=NOW)


def test_of_two_applies_at_once_one_wins_and_one_is_told(monkeypatch):
    apply()()
    entered, both = threading.Event(), threading.Event()
    stored = applying.build_bundle

    def slow_build(registry, *, now):
        entered.set()
        both.wait(timeout=20)
        return stored(registry, now=now)

    monkeypatch.setattr(applying, "build_bundle", slow_build)

    def late():
        entered.wait(timeout=20)
        try:
            return apply(feature_services=[service(max_age="3h")])()
        finally:
            both.set()

    first, second = at_once(apply(feature_services=[service(max_age="2h")]), late)
    assert first.bundle.number == 2
    assert second.code == "apply_in_progress"
    assert str(selectors.list_services("flights")[0].service.terms.max_age) == "2:00:00"


def test_of_many_that_race_for_a_plan_exactly_one_wins():
    apply()()
    calls = []
    for hours in range(2, 8):
        file = flights(feature_services=[service(max_age=f"{hours}h")])
        read = Conditions(plan=plan_definition("flights", file, now=NOW).digest)
        calls.append(partial(apply_definition, "flights", file, author=ROOT, now=NOW, conditions=read))
    answers = at_once(*calls)
    losers = [answer for answer in answers if isinstance(answer, Conflict)]
    assert len(losers) == len(calls) - 1
    assert {loser.code for loser in losers} <= {"apply_in_progress", "plan_outdated"}
    assert sorted(Bundle.objects.values_list("number", flat=True)) == [1, 2]


def test_applies_to_different_projects_number_their_bundles_without_a_gap():
    answers = at_once(*(apply(project=f"project_{n}") for n in range(4)))
    assert sorted(answer.bundle.number for answer in answers) == [1, 2, 3, 4]
    assert sorted(Bundle.objects.values_list("number", flat=True)) == [1, 2, 3, 4]


def test_a_claim_is_given_back_after_success_and_after_failure():
    apply()()
    with pytest.raises(Conflict, match="break"):
        apply(feature_views=[view(features=view()["features"][2:])])()
    assert ApplyClaim.objects.get().leased_until is None
    apply(feature_services=[service(max_age="2h")])()


def test_a_claim_whose_holder_died_expires():
    with pytest.raises(KeyboardInterrupt), claimed("flights", now=NOW):
        ApplyClaim.objects.update(leased_until=NOW + LEASE, generation=7)  # the release will not find its own
        raise KeyboardInterrupt
    with pytest.raises(Conflict, match="being changed"):
        apply_definition("flights", flights(), author=ROOT, now=NOW + LEASE - timedelta(microseconds=1))
    assert apply_definition("flights", flights(), author=ROOT, now=NOW + LEASE).bundle.number == 1


def test_who_read_before_another_began_and_writes_after_it_ended_is_told():
    seen, _ = ApplyClaim.objects.get_or_create(project="flights")
    apply()()

    class Stale:
        """What the slower caller read before the faster one began."""

        @staticmethod
        def get_or_create(**_):
            return seen, False

        filter = ApplyClaim.objects.filter

    from controlplane.registry.services import claims

    original = claims.ApplyClaim
    try:
        claims.ApplyClaim = type("Claim", (), {"objects": Stale})
        with pytest.raises(Conflict, match="being changed"):
            apply()()
    finally:
        claims.ApplyClaim = original
