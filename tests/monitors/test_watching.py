"""From rows in the store to one incident and its end, by the loops alone."""

import json
from datetime import timedelta

import pytest

from controlplane.kernel.errors import Unavailable
from controlplane.observations import selectors as observations
from monitors.domain.states import MonitorState, Result, State, step
from monitors.models import Evaluation, Incident, Monitor, ViewWatch
from monitors.selectors.stored import config_of, reading_of
from monitors.services import incidents, judging, probing
from monitors.services import monitors as monitor_services
from monitors.services.known_keys import WALKED, Memory, known_keys
from store_adapters import RowWrite
from tests.monitors.story import SECOND, TICK

pytestmark = pytest.mark.django_db


def test_a_view_that_stays_fresh_raises_nothing(site, told):
    site.register()
    site.write()
    site.go(120, before=lambda second: second % 10 == 0 and site.write())
    assert site.state() == "fresh"
    assert site.incidents() == []
    assert told.requests == []


def test_a_view_that_nobody_writes_goes_late_then_stale_then_one_incident_pages_and_ends(site, told):
    site.register()
    site.write()
    site.go(8)
    assert site.state() == "fresh"
    late = site.go_until("late")
    stale = site.go_until("stale")
    assert (late + 8, late + 8 + stale) <= (25, 40)
    site.go(5)
    (incident,) = site.incidents()
    assert (incident.state, incident.severity, incident.view) == ("open", "critical", "v")
    assert len(told.events("trigger")) == 1 and len(told.messages()) == 1
    assert "max 30 s" in json.dumps(told.events())
    site.write()
    site.go_until("fresh")
    site.go(5)
    assert [event["event_action"] for event in told.events()] == ["trigger", "resolve"]
    assert Incident.objects.get().state == "resolved"


def test_one_fresh_key_among_99_stale_ones_is_a_breach(site):
    site.register()
    site.write(*(f"k{n}" for n in range(100)))
    site.go(60, before=lambda second: site.write("k0"), deliver=False)
    assert site.state() == "stale"


def test_keys_that_are_gone_are_missing(site):
    site.register()
    keys = [f"k{n}" for n in range(20)]
    site.write(*keys)
    site.go(10, deliver=False)
    site.world.store.delete_rows(site.project, "v", [site.world.key(key) for key in keys[:10]])
    site.go(15, before=lambda second: site.write(*keys[10:]), deliver=False)
    assert site.state() == "missing"
    assert {one.family for one in site.incidents()} == {"presence"}


def test_a_store_that_lost_everything_is_missing_not_silent(site):
    site.register()
    site.write()
    site.go(10, deliver=False)
    site.world.store.purge_view(site.project, "v")
    site.go(15, deliver=False)
    assert site.state() == "missing"


def test_keys_that_were_deleted_are_not_missed(site):
    site.register()
    site.write("a", "b", "c", "d")
    site.go(5, deliver=False)
    site.world.post(deletes=[{"k": "a"}, {"k": "b"}])
    site.go(20, before=lambda second: site.write("c", "d"), deliver=False)
    assert site.state() == "fresh"
    assert observations.latest_probe(site.project, "v").missing == 0


def test_a_row_that_cannot_be_read_is_violating(site):
    site.register()
    keys = [f"k{n}" for n in range(5)]
    site.write(*keys)
    site.go(5, deliver=False)
    key = site.world.key("k0")
    (data,) = site.world.store.read_rows(site.project, "v", [key])
    site.world.store.delete_rows(site.project, "v", [key])
    site.world.store.write_rows(site.project, "v", [RowWrite(key, data[:-4] + b"\0\0\0\0")], run_number=9)
    site.go(15, before=lambda second: site.write(*keys[1:]), deliver=False)
    assert site.state() == "violating"


def test_a_view_is_learning_until_its_first_row(site):
    site.register()
    site.go(60, deliver=False)
    assert site.state() == "no_data"
    assert site.incidents() == []
    site.write()
    site.go(6, deliver=False)
    assert site.state() == "fresh"


def test_a_scheduled_view_that_is_never_written_is_missing_after_its_first_run_was_due(site):
    source = {"name": "s", "kind": "parquet", "uri": "data/s.parquet", "event_time": "t"}
    batch = {"source": "s", "query": "SELECT * FROM s", "schedule": "* * * * *", "grace": "30s"}
    site.register({"direct": None, "batch": batch, "freshness": {"max_age": "90s"}}, sources=[source])
    site.go(60, deliver=False)
    assert site.state() == "no_data"
    site.go(60, deliver=False)
    assert site.state() == "missing"
    assert {one.family for one in site.incidents()} == {"presence", "freshness"}


def test_after_a_pause_of_the_installation_a_run_that_was_due_in_it_has_its_grace_first(site):
    source = {"name": "s", "kind": "parquet", "uri": "data/s.parquet", "event_time": "t"}
    batch = {"source": "s", "query": "SELECT * FROM s", "schedule": "* * * * *", "grace": "30s"}
    site.register({"direct": None, "batch": batch, "freshness": {"max_age": "1h"}}, sources=[source])
    site.go(30, deliver=False)
    site.world.now += timedelta(minutes=10)
    site.turn(deliver=False)
    assert Monitor.objects.get(kind="schedule").state == "unknown"
    site.go(30, deliver=False)
    assert Monitor.objects.get(kind="schedule").state == "unknown"
    site.go(1, deliver=False)
    assert Monitor.objects.get(kind="schedule").state == "breach"


def test_a_service_that_demands_more_breaches_for_itself(site):
    service = {
        "name": "ranker",
        "features": ["v:x"],
        "max_age": "10s",
        "on_stale": "default",
        "owner": "rank",
    }
    feature = {"name": "x", "dtype": "int64", "nullable": True, "min": 0, "default": 0}
    site.register({"features": [feature]}, feature_services=[service])
    site.write()
    site.go(20, before=lambda second: second % 17 == 0 and site.write(), deliver=False)
    (incident,) = site.incidents()
    assert incident.subject == f"service:{site.project}/ranker"
    assert site.state() in ("fresh", "late")


def test_an_unreachable_store_is_unknown_ends_nothing_and_opens_one_incident_for_all(site, monkeypatch):
    site.register()
    site.write()
    site.go_until("stale", deliver=False)

    def away(*arguments):
        raise Unavailable("store_unavailable", "store sqlite could not be read")

    monkeypatch.setattr(site.world.store, "read_watermarks", away)
    site.go(60, deliver=False)
    assert site.incidents(family="meta") == []
    site.go(20, deliver=False)
    assert site.state() == "stale"
    states = set(Monitor.objects.exclude(state=State.BREACH).values_list("state", flat=True))
    assert states == {State.UNKNOWN}
    assert [one.family for one in site.incidents(state="open")] == ["freshness", "meta"]
    monkeypatch.undo()
    site.write()
    site.go(30, before=lambda second: site.write(), deliver=False)
    assert site.incidents(state="open") == []


def test_a_person_who_resolves_too_early_is_put_right_by_the_next_evaluation(site, told):
    site.register()
    site.write()
    site.go_until("stale")
    site.go(3)
    (incident,) = site.incidents()
    incidents.resolve(incident.number, reason="looks fine", actor="ada", now=site.now)
    site.go(10)
    assert Incident.objects.get().state == "open"
    assert [event["event_action"] for event in told.events()] == ["trigger", "resolve", "trigger"]


def test_a_view_that_is_retired_closes_its_incidents_and_says_so(site, told):
    site.register({}, {"name": "w"})
    site.write(), site.write(view="w")
    site.go_until("stale")
    site.go(5, before=lambda second: site.write(view="w"))
    site.register({"name": "w"})
    site.go(5)
    (incident,) = site.incidents(view="v")
    assert (incident.state, incident.resolution) == ("resolved", "view v was retired")
    assert told.events()[-1]["event_action"] == "resolve"


def test_every_view_gets_its_monitors_from_contract_and_schedule(site):
    source = {"name": "s", "kind": "parquet", "uri": "data/s.parquet", "event_time": "t"}
    batch = {"source": "s", "query": "SELECT * FROM s", "schedule": "* * * * *"}
    site.register({"batch": batch, "freshness": {"warn_after": "15s", "max_age": "90s"}}, sources=[source])
    found = {(m.kind, m.lane): m.config for m in Monitor.objects.all()}
    assert set(found) == {
        ("served_age", ""),
        ("source_age", "batch"),
        ("source_age", "direct"),
        ("coverage", ""),
        ("invalid_rate", ""),
        ("hollow_run", "batch"),
        ("schedule", "batch"),
    }
    assert found["served_age", ""] == {"warn": "15s", "limit": "90s", "interval": "9s"}
    assert {m.kind for m in Monitor.objects.all() if reading_of(m).sees_age} == {"served_age", "source_age"}


def test_a_changed_contract_changes_its_monitors_but_not_what_a_person_set(site):
    site.register()
    mine = Monitor.objects.get(kind="coverage")
    monitor_services.edit_monitor(mine.pk, config={"limit": 0.5}, paused=None, actor="ada", now=site.now)
    site.register({"freshness": {"max_age": "60s"}})
    assert Monitor.objects.get(kind="served_age").config == {"limit": "1m", "interval": "6s"}
    assert Monitor.objects.get(kind="coverage").config == {"limit": 0.5}


def test_replaying_the_stored_results_gives_the_same_states(site):
    site.register()
    site.write()
    site.go(70, before=lambda second: second == 50 and site.write(), deliver=False)
    for monitor in Monitor.objects.all():
        state, found = MonitorState(), []
        rows = list(Evaluation.objects.filter(monitor=monitor).order_by("at"))
        for row in rows:
            result = Result(row.at, State(row.level), row.clear, row.value, row.reason)
            state, _changes = step(config_of(monitor).timing, state, result, now=row.at)
            found.append(state.state)
        assert found == [row.state for row in rows]
        assert len(rows) > 10 or monitor.kind == "source_age"


def test_a_claim_that_was_taken_over_writes_nothing(site):
    site.register()
    site.write()
    site.turn(deliver=False)
    Monitor.objects.update(due_at=site.now)
    claimed = judging._claim(now=site.now, limit=10)
    judged = judging._judge(claimed, now=site.now)
    Monitor.objects.update(fence=99)
    before = Evaluation.objects.count()
    judging._commit(site.project, judged, now=site.now)
    assert Evaluation.objects.count() == before
    assert not Monitor.objects.filter(lease_until=None).exists()


def test_what_is_claimed_is_claimed_once_until_its_lease_ends(site, settings):
    site.register()
    Monitor.objects.update(due_at=site.now)
    count = Monitor.objects.count()
    assert len(judging._claim(now=site.now, limit=100)) == count
    assert judging._claim(now=site.now, limit=100) == []
    ends = site.now + settings.FRESHLINE_LEASE
    assert judging._claim(now=ends, limit=100) == []
    assert len(judging._claim(now=ends + TICK, limit=100)) == count


def test_a_probe_of_who_lost_the_lease_is_not_kept(site):
    site.register()
    site.write()
    watch = ViewWatch.objects.get()
    ViewWatch.objects.update(probe_fence=9)
    probing._probe_watch(watch, lambda _: site.world.store, now=site.now)
    assert observations.latest_probe(site.project, "v") is None


def test_the_walk_through_the_keys_sees_every_key_in_time(site):
    site.register()
    keys = {f"k{n:04}" for n in range(2 * WALKED + 20)}
    site.write(*sorted(keys))
    record, seen, memory = site.world.view(), set(), Memory(b"", ())
    for _round in range(3):
        found, cursor = known_keys(record, site.world.store, memory)
        seen |= set(found)
        memory = Memory(cursor, ())
    assert len(seen) == len(keys)


def test_a_monitor_is_due_at_the_very_moment_the_age_crosses_its_limit(site):
    site.register()
    site.write()
    site.turn(deliver=False)
    watch = ViewWatch.objects.get()
    site.world.tick(seconds=14, microseconds=-1)
    site.turn(deliver=False)
    probe = observations.latest_probe(site.project, "v")
    watch.refresh_from_db()
    assert watch.probe_due_at == probe.at + (15 * SECOND - probe.age_p95) + TICK
