"""One page per cause: an outside job fails two hops above the views, an unrelated one too."""

import json

import pytest

from monitors.domain.folding import Confidence
from monitors.models import Incident
from monitors.services import causes, incidents, outbox
from tests.monitors.story import MINUTE, NOON, SECOND, TICK, breach, cause, recover

pytestmark = pytest.mark.django_db
RAW, GOLD, ELSEWHERE = ("s3://lake", "raw"), ("s3://lake", "gold"), ("s3://lake", "elsewhere")
VIEWS = ("a", "b", "c")


@pytest.fixture
def lake(site):
    """raw -> refine -> gold -> our runs -> three views; all good at first."""
    site.register(*({"name": name} for name in VIEWS))
    site.tell("refine", "COMPLETE", inputs=[RAW], outputs=[GOLD])
    site.tell("unrelated", "COMPLETE", outputs=[ELSEWHERE])
    for name in VIEWS:
        own = f"freshline://{site.project}"
        site.tell(f"{name}.batch", "COMPLETE", namespace=own, inputs=[GOLD], outputs=[(own, name)])
    write_all(site)
    return site


def write_all(site):
    for name in VIEWS:
        site.write(view=name)


def fail(site):
    site.tell("refine", "FAIL", inputs=[RAW], outputs=[GOLD], error="disk full", run=RUN)
    site.tell("unrelated", "FAIL", outputs=[ELSEWHERE], error="not this one")


RUN = "0190a0c2-0000-7000-8000-00000000abcd"


def roots(site, **found):
    return [one for one in site.incidents(**found) if one.parent_id is None]


def expect_one_page(site, told):
    (root,) = roots(site, state="open")
    assert (root.cause["node"], root.cause["run"], root.cause["reason"]) == (
        "job:etl|refine",
        RUN,
        "disk full",
    )
    assert root.cause["confidence"] == "high"
    assert root.kind == "failed_run"
    assert len(site.incidents(parent=root)) == 2
    assert len({event["dedup_key"] for event in told.events()}) == 1
    said = json.dumps([*told.events(), *told.messages()])
    assert RUN in said and "disk full" in said
    assert "not this one" not in said


def test_a_failure_known_before_the_views_go_stale_is_one_page_that_names_it(lake, told):
    lake.go(10)
    fail(lake)
    lake.go(50)
    expect_one_page(lake, told)
    assert len(told.events()) == len(told.messages()) == 1
    for name in VIEWS[:2]:
        lake.write(view=name)
    lake.go(20, before=lambda second: [lake.write(view=name) for name in VIEWS[:2]])
    assert len(told.events("resolve")) == 0
    lake.go(20, before=lambda second: write_all(lake))
    assert [event["event_action"] for event in told.events()] == ["trigger", "resolve"]
    assert lake.incidents(state="open") == []


def test_a_failure_reported_after_the_first_view_went_stale_is_an_update_of_the_same_page(lake, told):
    lake.go_until("stale", view="a", before=lambda second: [lake.write(view=name) for name in VIEWS[1:]])
    lake.go(5, before=lambda second: [lake.write(view=name) for name in VIEWS[1:]])
    (first,) = lake.incidents()
    assert (first.cause, len(told.events())) == (None, 1)
    lake.tell("refine", "FAIL", ago=25, inputs=[RAW], outputs=[GOLD], error="disk full", run=RUN)
    lake.tell("unrelated", "FAIL", ago=25, outputs=[ELSEWHERE], error="not this one")
    lake.go(60)
    expect_one_page(lake, told)
    assert roots(lake)[0].number == first.number
    lake.go(30, before=lambda second: write_all(lake))
    assert len(told.events("resolve")) == 1


def test_without_a_cause_each_view_pages_for_itself(lake, told):
    lake.go(60)
    assert len(roots(lake)) == 3
    assert len(told.events("trigger")) == 3


# From here on breaches are made by hand: what matters is how they fold.


def open_roots():
    return list(Incident.objects.filter(parent=None, state__in=["open", "acknowledged"]))


def test_two_notified_roots_with_one_cause_become_one_and_the_younger_says_so(told, monkeypatch):
    elder, younger = breach("a"), breach("b")
    outbox.deliver_due(now=NOON)
    outbox.deliver_due(now=NOON + 2 * SECOND)
    monkeypatch.setattr(causes, "causes_of", lambda **found: [cause()])
    causes.reconsider(now=NOON + 10 * SECOND)
    outbox.deliver_due(now=NOON + 20 * SECOND)
    outbox.deliver_due(now=NOON + 30 * SECOND)
    outbox.deliver_due(now=NOON + 40 * SECOND)
    assert [one.number for one in open_roots()] == [elder.number]
    assert Incident.objects.get(pk=younger.pk).parent_id == elder.number
    (resolve,) = told.events("resolve")
    assert resolve["dedup_key"] == younger.dedup_key
    assert f"merged into INC-{elder.number}" in json.dumps(told.messages())


def test_a_child_that_outlives_its_root_pages_itself_after_its_grace(told, monkeypatch):
    monkeypatch.setattr(causes, "causes_of", lambda **found: [])
    root, child = breach("a", causes=[cause()]), breach("b", causes=[cause()])
    outbox.deliver_due(now=NOON)
    incidents.resolve(root.number, reason="enough", actor="ada", now=NOON + MINUTE)
    causes.page_the_lonely(now=NOON + 3 * MINUTE - TICK)
    assert Incident.objects.get(pk=child.pk).sequence == 0
    causes.page_the_lonely(now=NOON + 3 * MINUTE)
    outbox.deliver_due(now=NOON + 3 * MINUTE)
    outbox.deliver_due(now=NOON + 4 * MINUTE)
    assert told.events("trigger")[-1]["dedup_key"] == child.dedup_key


def test_a_child_that_outlives_its_root_moves_to_another_open_cause_and_does_not_page(told, monkeypatch):
    root, child = breach("a", causes=[cause()]), breach("b", causes=[cause()])
    other = breach("c", causes=[cause("job:etl|other")])
    outbox.deliver_due(now=NOON)
    incidents.resolve(root.number, reason="enough", actor="ada", now=NOON + MINUTE)
    monkeypatch.setattr(causes, "causes_of", lambda **found: [cause("job:etl|other")])
    causes.reconsider(now=NOON + MINUTE)
    causes.page_the_lonely(now=NOON + 10 * MINUTE)
    child.refresh_from_db()
    assert (child.parent_id, child.sequence, child.alone_at) == (other.number, 0, None)


def test_an_unsure_cause_is_shown_and_folds_nothing(told):
    unsure = cause(confidence=Confidence.LOW)
    one, two = breach("a", causes=[unsure]), breach("b", causes=[unsure])
    assert {one.parent_id, two.parent_id} == {None}
    assert one.cause["confidence"] == "low"
    assert one.kind == "served_age"


def test_a_root_takes_on_the_labels_of_a_worse_child_and_then_pages(told):
    root = breach("a", tier="silver", causes=[cause()])
    outbox.deliver_due(now=NOON)
    assert told.events() == []
    breach("b", tier="gold", causes=[cause()])
    outbox.deliver_due(now=NOON + 2 * SECOND)
    outbox.deliver_due(now=NOON + 4 * SECOND)
    root.refresh_from_db()
    assert root.severity == "critical"
    assert [event["dedup_key"] for event in told.events()] == [root.dedup_key]
    assert len(told.messages()) == 1


def test_the_owner_of_a_child_gets_one_line_that_names_the_root(told, receiver):
    from tests.monitors.story import slack

    slack(f"{receiver.url}/services/rank?", name="rank chat", team="ranking")
    root = breach("a", causes=[cause()])
    breach("b", owner="ranking", causes=[cause()])
    breach("c", owner="ranking", causes=[cause()])
    for n in range(6):
        outbox.deliver_due(now=NOON + n * SECOND)
    lines = [body["text"] for path, body in receiver.accepted if path.startswith("/services/rank?")]
    assert len(lines) == 1
    assert f"INC-{root.number}" in lines[0]


def test_three_hundred_breaches_of_one_cause_are_one_page_and_one_resolve(told):
    found = [breach(f"v{n}", causes=[cause()]) for n in range(300)]
    for n in range(4):
        outbox.deliver_due(now=NOON + n * SECOND)
    assert len(told.events()) == len(told.messages()) == 1
    for incident in reversed(found):
        recover(incident, now=NOON + MINUTE)
    for n in range(4):
        outbox.deliver_due(now=NOON + MINUTE + n * SECOND)
    assert [event["event_action"] for event in told.events()] == ["trigger", "resolve"]
    assert Incident.objects.filter(state="open").count() == 0


def test_the_roots_own_recovery_ends_nothing_while_a_child_is_open(told):
    root, child = breach("a", causes=[cause()]), breach("b", causes=[cause()])
    assert recover(root, now=NOON + MINUTE) == []
    assert [one.number for one in recover(child, now=NOON + MINUTE)] == [child.number, root.number]


def test_folding_stops_at_the_project(told):
    breach("a", causes=[cause()])
    breach("a", project="trains", causes=[cause()])
    assert len(open_roots()) == 2


def test_more_monitors_of_one_fingerprint_are_evidence_on_one_incident(told):
    one = breach("a")
    two = breach("a", kind="source_age", config={"limit": "45m", "interval": "30s"})
    three = breach("a", kind="coverage")
    assert one.number == two.number != three.number
    assert one.evidence.count() == 2


@pytest.mark.django_db(transaction=True)
def test_at_most_one_incident_is_open_for_a_fingerprint_whatever_the_services_do():
    from django.db import IntegrityError, transaction

    one = breach("a")
    copy = Incident.objects.get(pk=one.pk)
    copy.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)
