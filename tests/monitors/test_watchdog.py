"""When nobody watches any more: within three intervals nothing says fresh, and everything says why."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from controlplane.kernel import clock
from lineage.models import Node
from lineage.selectors.states import shown_states
from lineage.selectors.walking import Walk
from lineage.services import sync_registry
from monitors.management import loop
from monitors.models import Evaluation, LoopBeat, Monitor, Notification
from monitors.selectors.health import project_health
from monitors.selectors.watchdog import monitoring_behind
from monitors.services import outbox, upkeep
from tests.monitors.story import MINUTE, NOON, SECOND, TICK, breach, pagerduty

pytestmark = pytest.mark.django_db


@pytest.fixture
def fresh(site):
    site.register()
    site.write()
    site.go(10, before=lambda second: site.write())
    assert site.state() == "fresh"
    return site


def test_while_the_loops_go_round_monitoring_is_not_behind(fresh):
    behind = monitoring_behind(now=fresh.now)
    assert (behind.is_behind, behind.sentence, behind.overdue_monitors) == (False, "", 0)


def test_three_intervals_after_the_loops_stopped_nothing_is_fresh(fresh):
    interval = timedelta(seconds=3)
    for stopped in range(0, 600, 3):
        now = fresh.now + stopped * SECOND
        states = {one.health.state for one in project_health(fresh.project, now=now)}
        if stopped * SECOND >= 3 * interval:
            assert states == {"no_data"}


def test_what_lineage_was_told_is_not_believed_for_longer(fresh):
    sync_registry(now=fresh.now)
    node = Node.objects.get(node_id=f"view:{fresh.project}/v")

    def state(now):
        return shown_states(Walk(), {node.pk: node}, now=now)[node.pk].state

    assert state(fresh.now) == "fresh"
    assert state(fresh.now + 10 * SECOND) == "no_data"


def test_a_breach_outlives_the_watcher(site):
    site.register()
    site.write()
    site.go_until("stale", deliver=False)
    site.world.tick(hours=1)
    assert site.state() == "stale"


@pytest.mark.parametrize("name", ["judge", "probe", "notify"])
def test_a_loop_that_stopped_is_named(fresh, settings, name):
    patience = 3 * settings.FRESHLINE_MONITOR_INTERVAL
    LoopBeat.objects.update(at=fresh.now + patience)
    LoopBeat.objects.filter(name=name).update(at=fresh.now)
    behind = monitoring_behind(now=fresh.now + patience - TICK)
    assert name not in behind.silent_loops
    behind = monitoring_behind(now=fresh.now + patience)
    assert set(behind.silent_loops) == {name}
    assert f"{name} loop last ran 1 min 30 s ago" in behind.sentence


def test_a_loop_that_never_ran_is_behind_once_there_is_something_to_watch(site):
    assert not monitoring_behind(now=site.now).is_behind
    site.register()
    assert set(monitoring_behind(now=site.now).silent_loops) == {"judge", "probe", "notify"}


def test_overdue_monitors_are_counted(fresh):
    behind = monitoring_behind(now=fresh.now + MINUTE)
    assert behind.overdue_monitors == Monitor.objects.count()
    Monitor.objects.update(paused=True)
    assert monitoring_behind(now=fresh.now + MINUTE).overdue_monitors == 0


def test_a_notification_that_waits_is_told_but_not_one_that_is_silenced():
    pagerduty()
    breach()
    behind = monitoring_behind(now=NOON + 2 * MINUTE)
    assert behind.oldest_unsent_at == NOON
    assert "a notification waits since 2 min ago" in behind.sentence
    Notification.objects.update(state="muted")
    assert not monitoring_behind(now=NOON + 2 * MINUTE).oldest_unsent_at


def test_old_evaluations_and_finished_notifications_are_swept(site, settings):
    site.register()
    site.write()
    site.go(8, deliver=False)
    times = sorted(Evaluation.objects.values_list("at", flat=True))
    retention = settings.FRESHLINE_EVALUATION_RETENTION
    upkeep.sweep(now=times[-1] + retention)
    assert set(Evaluation.objects.values_list("at", flat=True)) == {times[-1]} != set(times)
    upkeep.sweep(now=times[-1] + retention + TICK)
    assert Evaluation.objects.count() == 0


def test_a_notification_of_an_open_incident_is_never_swept(settings):
    pagerduty()
    breach()
    upkeep.sweep(now=NOON + settings.FRESHLINE_NOTIFICATION_RETENTION + MINUTE)
    assert Notification.objects.count() == 1


def test_the_commands_turn_every_loop(site, monkeypatch):
    monkeypatch.setattr(loop, "close_old_connections", lambda: None)  # it would end this test's transaction
    site.register()
    with clock.fixed(lambda: site.now):
        call_command("run_monitors", "--once")
        call_command("run_notifier", "--once")
    assert set(LoopBeat.objects.values_list("name", flat=True)) == {"judge", "probe", "notify"}
    assert outbox.deliver_due(now=site.now) == 0


def test_metrics_tell_how_the_views_are_and_whether_anybody_looks(client, fresh):
    def lines(now):
        with clock.fixed(now):
            return client.get("/metrics", REMOTE_ADDR="127.0.0.1").content.decode().splitlines()

    assert f'freshline_views{{project="{fresh.project}",state="fresh"}} 1.0' in lines(fresh.now)
    assert "freshline_monitoring_behind 0.0" in lines(fresh.now)
    breach("a", project="trains")
    later = lines(fresh.now + 10 * MINUTE)
    assert f'freshline_views{{project="{fresh.project}",state="no_data"}} 1.0' in later
    assert 'freshline_incidents_open{project="trains",severity="critical"} 1.0' in later
    assert "freshline_monitoring_behind 1.0" in later
