"""From a value that grows old to a page, and back: through services, the database and real HTTP."""

from datetime import timedelta

from controlplane.kernel import clock
from controlplane.kernel.errors import Unavailable
from monitors.domain.health import HealthState
from monitors.models import Incident
from monitors.selectors.watchdog import monitoring_behind
from monitors.services import incidents, silences
from tests.monitors.receivers import PAGER
from tests.monitors.world import INTERVAL, MAX_AGE

HOLD = 2 * INTERVAL


def _go_stale(world, **options):
    world.pass_time(MAX_AGE + HOLD + 2 * INTERVAL, **options)


def _recover(world):
    world.pass_time(HOLD + 3 * INTERVAL, writing=True)


def test_a_view_that_is_written_is_fresh_and_tells_nobody(watched):
    watched.pass_time(2 * MAX_AGE, writing=True)
    assert watched.health().state == HealthState.FRESH
    assert not Incident.objects.exists()
    assert not watched.receiver.received


def test_a_view_that_goes_stale_opens_one_incident_and_pages_once(watched):
    _go_stale(watched)
    assert watched.health().state == HealthState.STALE
    assert (watched.incident().state, watched.incident().severity) == ("open", "critical")
    watched.pass_time(MAX_AGE)
    assert watched.receiver.pages() == ["trigger"]
    assert len(watched.receiver.chats()) == 1


def test_what_is_told_names_the_view_how_bad_it_is_and_where_to_look(watched):
    _go_stale(watched)
    number = watched.incident().number
    (event,) = watched.receiver.bodies(PAGER)
    (chat,) = watched.receiver.chats()
    assert event["dedup_key"] == watched.incident().dedup_key
    assert (event["routing_key"], event["payload"]["severity"]) == ("r" * 32, "critical")
    for text in (str(event), chat):
        assert "v" in text and "stale" in text
        assert "10 min" in text
        assert f"https://freshline.example/incidents/INC-{number}" in text


def test_an_incident_opens_only_after_the_hold_time(watched):
    watched.pass_time(MAX_AGE)
    assert not Incident.objects.exists()
    _go_stale(watched)
    opened = watched.incident().opened_at
    assert opened - (watched.now - (MAX_AGE + HOLD + 2 * INTERVAL)) <= HOLD + INTERVAL


def test_fresh_values_resolve_it_once_under_the_same_key(watched):
    _go_stale(watched)
    _recover(watched)
    watched.pass_time(MAX_AGE, writing=True)
    assert (watched.incident().state, watched.health().state) == ("resolved", HealthState.FRESH)
    assert watched.receiver.pages() == ["trigger", "resolve"]
    assert len({event["dedup_key"] for event in watched.receiver.bodies(PAGER)}) == 1
    assert len(watched.receiver.chats()) == 2


def test_a_new_breach_soon_after_reopens_the_same_incident(watched):
    _go_stale(watched)
    _recover(watched)
    _go_stale(watched)
    assert watched.incident().state == "open"
    assert watched.receiver.pages() == ["trigger", "resolve", "trigger"]


def test_an_acknowledged_incident_tells_the_pager_and_still_resolves(watched):
    _go_stale(watched)
    incidents.acknowledge(watched.incident().number, actor="ada", now=watched.now)
    watched.pass_time(MAX_AGE)
    assert watched.incident().state == "acknowledged"
    assert watched.receiver.pages() == ["trigger", "acknowledge"]
    _recover(watched)
    assert watched.incident().state == "resolved"
    assert watched.receiver.pages() == ["trigger", "acknowledge", "resolve"]


def _silence(world, span):
    return silences.create_silence(
        matchers=[{"label": "view", "value": "v"}, {"label": "project", "value": world.project}],
        starts_at=world.now,
        ends_at=world.now + span,
        reason="we know",
        actor="ada",
        now=world.now,
    )


def test_a_silenced_incident_opens_and_tells_nobody(watched):
    _silence(watched, timedelta(hours=1))
    _go_stale(watched)
    assert watched.incident().state == "open"
    assert {state for _, _, state in watched.outbox()} == {"muted"}
    assert not watched.receiver.received


def test_what_was_muted_is_sent_when_the_silence_ends_first(watched):
    _silence(watched, timedelta(minutes=20))
    _go_stale(watched)
    watched.pass_time(timedelta(minutes=15))
    assert watched.receiver.pages() == ["trigger"]


def test_what_was_muted_is_sent_when_a_person_ends_the_silence(watched):
    silence = _silence(watched, timedelta(hours=4))
    _go_stale(watched)
    silences.end_silence(silence.pk, actor="ada", now=watched.now)
    watched.pass_time(INTERVAL)
    assert watched.receiver.pages() == ["trigger"]


def test_who_was_never_told_hears_of_no_end(watched):
    _silence(watched, timedelta(hours=4))
    _go_stale(watched)
    _recover(watched)
    assert watched.incident().state == "resolved"
    assert not watched.receiver.received


def test_a_resolve_is_never_silenced(watched):
    _go_stale(watched)
    _silence(watched, timedelta(hours=4))
    _recover(watched)
    assert watched.receiver.pages() == ["trigger", "resolve"]


def test_an_incident_that_is_over_before_anybody_was_told_is_one_chat_message(watched):
    _go_stale(watched, deliver=False)
    for _ in range(6):
        watched.pass_time(INTERVAL, writing=True, deliver=False)
    watched.deliver()
    assert watched.incident().state == "resolved"
    assert (watched.receiver.pages(), len(watched.receiver.chats())) == ([], 1)


def test_without_anybody_looking_nothing_is_called_fresh(watched):
    watched.now += timedelta(minutes=3)
    watched.write()
    assert watched.health().state == HealthState.NO_DATA
    behind = monitoring_behind(now=watched.now)
    assert behind.is_behind
    assert set(behind.silent_loops) == {"judge", "probe", "notify"}


def test_a_store_that_does_not_answer_is_never_called_fresh(watched, monkeypatch):
    def refuse(*args, **options):
        raise Unavailable("store_unavailable", "the store is away")

    monkeypatch.setattr(type(watched.store), "read_rows", refuse)
    watched.pass_time(timedelta(minutes=5))
    assert watched.health().state == HealthState.NO_DATA


def test_a_breach_outlives_the_loops_that_saw_it(watched):
    _go_stale(watched)
    watched.now += timedelta(hours=1)
    assert watched.health().state == HealthState.STALE
    assert watched.incident().state == "open"


def test_a_key_that_is_gone_is_missing_and_told(watched):
    keys = watched.store.sample_keys(watched.project, "v", limit=1_000)
    watched.store.delete_rows(watched.project, "v", keys[:15])
    with clock.fixed(lambda: watched.now):
        watched.pass_time(HOLD + 3 * INTERVAL)
    assert watched.health().state == HealthState.MISSING
    assert watched.incident().family == "presence"
    assert watched.receiver.pages() == ["trigger"]


def test_a_resolve_by_hand_reopens_while_the_values_are_still_old(watched):
    _go_stale(watched)
    incidents.resolve(watched.incident().number, reason="looks fine", actor="ada", now=watched.now)
    assert watched.incident().state == "resolved"
    watched.pass_time(2 * INTERVAL)
    assert watched.incident().state == "open"
    assert watched.receiver.pages() == ["trigger", "resolve", "trigger"]
