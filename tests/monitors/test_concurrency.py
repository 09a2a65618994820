"""Several judges and notifiers at once, each in a connection of its own."""

import threading

import pytest
from django.db import connection

from monitors.models import Evaluation, Incident, Monitor, Notification
from monitors.services import incidents, judging, outbox, probing
from tests.monitors.story import MINUTE, SECOND, breach

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls):
    """Run each in a thread, started together; returns their answers, in order."""
    together = threading.Barrier(len(calls))
    answers = [None] * len(calls)

    def run(index, call):
        try:
            together.wait(timeout=20)
            answers[index] = call()
        except Exception as wrong:  # noqa: BLE001 - told by the thread that waits
            answers[index] = wrong
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [one for one in answers if isinstance(one, Exception)] == []
    return answers


def test_judges_at_once_evaluate_each_monitor_once_and_open_one_incident(site):
    site.register(*({"name": f"v{n}"} for n in range(5)))
    for n in range(5):
        site.write(view=f"v{n}")
    site.go(38, deliver=False)
    Incident.objects.all().delete()
    Monitor.objects.update(state="ok", due_at=site.now)
    before = Evaluation.objects.count()
    site.world.tick(seconds=3)
    probing.run_probes(now=site.now, stores=lambda _: site.world.store, stopwatch=lambda: 0.0)
    counted = at_once(*[lambda: judging.run_due(now=site.now, limit=7)] * 4)
    while judging.run_due(now=site.now):
        pass
    assert sum(counted) > 0
    assert Evaluation.objects.count() - before <= Monitor.objects.count()
    for view in range(5):
        assert Incident.objects.filter(view=f"v{view}", family="freshness").count() == 1


def test_notifiers_at_once_send_each_message_once(told):
    for n in range(4):
        breach(f"v{n}")
    now = Notification.objects.first().created_at
    for turn in range(40):
        at_once(*[lambda turn=turn: outbox.deliver_due(now=now + turn * SECOND)] * 3)
        if not Notification.objects.exclude(state="sent").exists():
            break
    keys = [event["dedup_key"] for event in told.events()]
    assert len(keys) == len(set(keys)) == 4
    assert len(told.messages()) == 4


def test_of_two_who_acknowledge_at_once_one_is_told(told):
    incident = breach()
    now = incident.opened_at + MINUTE

    def acknowledge(actor):
        return lambda: incidents.acknowledge(incident.number, actor=actor, now=now)

    at_once(acknowledge("ada"), acknowledge("bob"))
    assert Notification.objects.filter(action="acknowledge").count() == 2  # one for each channel
    assert incident.timeline.filter(kind="acknowledged").count() == 1
