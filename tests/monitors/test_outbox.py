"""The outbox against receivers that behave as Slack and PagerDuty are documented to."""

import json
import random
from datetime import timedelta

import pytest

from monitors.channels.egress import Egress
from monitors.domain.notifications import OutboxState
from monitors.models import Channel, Incident, Notification, TimelineEntry
from monitors.services import incidents, outbox, silences
from tests.monitors.story import MINUTE, NOON, SECOND, TICK, breach, cause, pagerduty, recover, slack
from tests.receivers import PAGERDUTY, SLACK, Receiver, running

pytestmark = pytest.mark.django_db
LOOPBACK = Egress(allowed_hosts=["127.0.0.1"])


@pytest.fixture(autouse=True)
def _loopback(settings):
    settings.FRESHLINE_EGRESS_ALLOW = ["127.0.0.1"]


@pytest.fixture
def receiver():
    made = Receiver()
    with running(made) as url:
        made.url = url
        yield made


def deliver(now, *, rounds=1, every=SECOND):
    """Deliver what is due, several times."""
    for n in range(rounds):
        outbox.deliver_due(now=now + n * every, egress=LOOPBACK, jitter=lambda: 0.5)


def states():
    rows = Notification.objects.order_by("incident", "channel", "sequence")
    return [(row.channel.name, row.action, row.state) for row in rows]


def test_a_breach_is_told_once_to_each_channel_and_its_end_too(receiver):
    slack(receiver.url), pagerduty(receiver.url)
    incident = breach(causes=[cause()])
    deliver(NOON, rounds=5)
    assert [event["event_action"] for event in receiver.events()] == ["trigger"]
    assert len(receiver.messages()) == 1
    assert "job:etl|refine" in json.dumps(receiver.messages())
    recover(incident, now=NOON + 5 * MINUTE)
    deliver(NOON + 5 * MINUTE, rounds=5)
    assert [event["event_action"] for event in receiver.events()] == ["trigger", "resolve"]
    assert len({event["dedup_key"] for event in receiver.events()}) == 1
    assert len(receiver.messages()) == 2
    assert {state for *_, state in states()} == {OutboxState.SENT}


def test_the_routing_key_is_sent_and_stored_nowhere_in_the_clear(receiver):
    channel = pagerduty(receiver.url)
    breach()
    deliver(NOON)
    assert receiver.events()[0]["routing_key"] == "R0UT1NGKEY"
    assert "R0UT1NGKEY" not in json.dumps(Notification.objects.get().body)
    assert "R0UT1NGKEY" not in channel.sealed_config
    assert channel.hint == "****" or channel.hint == "****GKEY"


def test_an_acknowledge_goes_to_exactly_those_who_were_told(receiver):
    pagerduty(receiver.url)
    incident = breach()
    deliver(NOON)
    slack(receiver.url)  # a default only now: this incident was not told there
    incidents.acknowledge(incident.number, actor="ada", now=NOON + MINUTE)
    deliver(NOON + MINUTE, rounds=3)
    assert [event["event_action"] for event in receiver.events()] == ["trigger", "acknowledge"]
    assert receiver.messages() == []


def test_rows_of_one_incident_and_channel_go_in_order_even_when_the_first_fails(receiver):
    pagerduty(receiver.url)
    receiver.script[PAGERDUTY] = [(503, {}, b""), (503, {}, b"")]
    incident = breach()
    deliver(NOON)
    recover(incident, now=NOON + SECOND)
    deliver(NOON + SECOND, rounds=10)
    assert [event["event_action"] for event in receiver.events()] == ["trigger", "resolve"]


def test_a_receiver_that_fails_is_seen_on_its_channel_until_it_takes_something_and_once_in_the_story(
    receiver,
):
    channel = pagerduty(receiver.url)
    receiver.script[PAGERDUTY] = [(503, {}, b""), (503, {}, b"")]
    breach()
    deliver(NOON)
    channel.refresh_from_db()
    assert (channel.last_error, channel.broken_at) == ("HTTP 503, tries again", None)
    deliver(NOON + SECOND, rounds=10)
    channel.refresh_from_db()
    assert (channel.last_error, len(receiver.events("trigger"))) == ("", 1)
    story = TimelineEntry.objects.filter(kind__in=["sent", "not_sent"]).order_by("pk")
    assert [(one.kind, one.text.endswith("HTTP 503, tries again")) for one in story] == [
        ("not_sent", True),
        ("sent", False),
    ]


def test_resolved_before_any_attempt_is_one_chat_message_and_no_page(receiver):
    slack(receiver.url), pagerduty(receiver.url)
    recover(breach(), now=NOON + MINUTE)
    deliver(NOON + MINUTE, rounds=5)
    assert receiver.events() == []
    (message,) = receiver.messages()
    assert "opened and resolved" in message["text"]


def test_a_429_pauses_the_whole_channel_until_the_very_second(receiver):
    pagerduty(receiver.url)
    receiver.script[PAGERDUTY] = [(429, {"Retry-After": "30"}, b"")]
    breach()
    breach("airport_weather")
    deliver(NOON)
    assert len(receiver.requests) == 1
    channel = Channel.objects.get()
    free_at = channel.free_at
    assert NOON + 30 * SECOND <= free_at < NOON + 32 * SECOND
    deliver(free_at - TICK)
    assert len(receiver.requests) == 1
    deliver(free_at, rounds=2)
    assert len(receiver.events("trigger")) == 2


def test_slack_gets_at_most_one_message_a_second(receiver):
    slack(receiver.url)
    for n in range(3):
        breach(f"view_{n}")
    deliver(NOON)
    assert len(receiver.messages()) == 1
    deliver(NOON + SECOND - TICK)
    assert len(receiver.messages()) == 1
    deliver(NOON + 2 * SECOND)
    assert len(receiver.messages()) == 2


def test_refused_blocks_are_sent_once_more_as_plain_text(receiver):
    slack(receiver.url)
    receiver.script[SLACK] = [(400, {}, b"invalid_blocks")]
    breach()
    deliver(NOON, rounds=4)
    (message,) = receiver.messages()
    assert list(message) == ["text"]
    assert len(receiver.requests) == 2


def test_refused_plain_text_is_given_up(receiver):
    slack(receiver.url)
    receiver.script[SLACK] = [(400, {}, b"invalid_blocks")] * 9
    breach()
    deliver(NOON, rounds=9)
    assert len(receiver.requests) == 2
    assert states()[0] == ("chat", "trigger", OutboxState.DEAD)


def test_the_body_is_frozen_at_the_first_attempt(receiver):
    pagerduty(receiver.url)
    receiver.script[PAGERDUTY] = [(500, {}, b"")]
    incident = breach()
    deliver(NOON)
    before = receiver.requests[0][2]
    Incident.objects.filter(pk=incident.pk).update(summary="something else")
    deliver(NOON + 5 * SECOND)
    assert receiver.requests[1][2] == before


def test_a_dead_hook_fails_over_with_all_that_follows_and_says_so_elsewhere(receiver):
    rescue = slack(receiver.url, name="rescue", team="")
    slack(f"{receiver.url}/services/gone?", fallback=rescue)
    slack(receiver.url, name="third")
    receiver.script["/services/gone?/services/T0/B0/secret"] = [(404, {}, b"no_service")]
    incident = breach()
    deliver(NOON, rounds=6)
    told = [row for row in states() if row[0] != "third"]
    assert ("chat", "trigger", OutboxState.FAILED_OVER) in told
    assert ("rescue", "trigger", OutboxState.SENT) in told
    meta = Incident.objects.get(family="meta")
    assert {n.channel.name for n in meta.notifications.all()} == {"third"}
    recover(incident, now=NOON + MINUTE)
    deliver(NOON + MINUTE, rounds=6)
    ended = {(row[0], row[2]) for row in states() if row[1] == "resolve"}
    assert ended == {("rescue", OutboxState.SENT), ("third", OutboxState.SENT)}


def test_a_trigger_that_fails_over_late_takes_its_resolve_along(receiver):
    rescue = slack(receiver.url, name="rescue", team="")
    slack(f"{receiver.url}/services/gone?", fallback=rescue)
    receiver.script["/services/gone?/services/T0/B0/secret"] = [
        (503, {}, b""),
        (410, {}, b"channel_is_archived"),
    ]
    incident = breach()
    deliver(NOON)
    recover(incident, now=NOON + SECOND)
    deliver(NOON + 10 * SECOND, rounds=5)
    assert [m["text"].split()[1] for m in receiver.messages()] == ["[critical]", "resolved"]


def test_without_a_fallback_a_dead_hook_is_known_and_what_follows_is_dropped(receiver):
    slack(receiver.url)
    receiver.script[SLACK] = [(404, {}, b"no_service")]
    incident = breach()
    deliver(NOON)
    recover(incident, now=NOON + MINUTE)
    deliver(NOON + MINUTE, rounds=3)
    assert Channel.objects.get().broken_at is not None
    assert [row for row in states() if row[1] == "resolve"] == []
    assert Incident.objects.filter(family="meta", state="open").count() == 1


def test_a_channel_that_delivers_again_closes_its_meta_incident(receiver):
    slack(receiver.url)
    receiver.script[SLACK] = [(404, {}, b"no_service")]
    breach()
    deliver(NOON)
    breach("airport_weather", now=NOON + MINUTE)
    deliver(NOON + MINUTE)
    assert Channel.objects.get().broken_at is None
    assert Incident.objects.get(family="meta").state == "resolved"


def test_after_a_day_of_failures_a_page_is_given_up(receiver):
    pagerduty(receiver.url)
    receiver.script[PAGERDUTY] = [(500, {}, b"")] * 3
    breach()
    deliver(NOON)
    deliver(NOON + timedelta(hours=23, minutes=59))
    assert states()[0][2] == OutboxState.PENDING
    deliver(NOON + timedelta(hours=24, minutes=1))
    assert states()[0][2] == OutboxState.DEAD


def mute(*, until, value="carrier_delays", label="view", now=NOON):
    matchers = [{"label": label, "op": "=", "value": value}]
    return silences.create_silence(
        matchers=matchers, starts_at=now, ends_at=until, reason="deploying", actor="ada", now=now
    )


def test_a_silence_that_ends_while_the_incident_is_open_lets_the_trigger_through(receiver):
    pagerduty(receiver.url)
    mute(until=NOON + 10 * MINUTE)
    incident = breach()
    deliver(NOON, rounds=3)
    deliver(NOON + 10 * MINUTE - TICK)
    assert receiver.requests == []
    assert Incident.objects.get(pk=incident.pk).state == "open"
    deliver(NOON + 10 * MINUTE)
    assert len(receiver.events("trigger")) == 1


def test_a_silence_that_is_ended_early_lets_the_trigger_through_at_once(receiver):
    pagerduty(receiver.url)
    silence = mute(until=NOON + 10 * MINUTE)
    breach()
    deliver(NOON)
    silences.end_silence(silence.pk, actor="ada", now=NOON + MINUTE)
    deliver(NOON + MINUTE)
    assert len(receiver.events("trigger")) == 1


def test_what_resolves_while_it_is_silenced_stays_silent(receiver):
    slack(receiver.url), pagerduty(receiver.url)
    mute(until=NOON + 10 * MINUTE)
    incident = breach()
    deliver(NOON)
    recover(incident, now=NOON + MINUTE)
    deliver(NOON + 20 * MINUTE, rounds=3)
    assert receiver.requests == []


def test_the_resolve_of_what_was_told_is_never_silenced(receiver):
    pagerduty(receiver.url)
    incident = breach()
    deliver(NOON)
    mute(until=NOON + timedelta(days=1), now=NOON + SECOND)
    recover(incident, now=NOON + MINUTE)
    deliver(NOON + MINUTE)
    assert [event["event_action"] for event in receiver.events()] == ["trigger", "resolve"]


def test_a_silence_on_another_view_changes_nothing(receiver):
    pagerduty(receiver.url)
    mute(until=NOON + 10 * MINUTE, value="airport_weather")
    breach()
    deliver(NOON)
    assert len(receiver.events("trigger")) == 1


def test_a_reopened_incident_triggers_again_on_the_same_key(receiver):
    pagerduty(receiver.url)
    incident = breach()
    deliver(NOON)
    recover(incident, now=NOON + MINUTE)
    deliver(NOON + MINUTE)
    again = breach(now=NOON + 5 * MINUTE)
    deliver(NOON + 5 * MINUTE)
    assert again.number == incident.number
    assert [event["event_action"] for event in receiver.events()] == ["trigger", "resolve", "trigger"]
    assert len({event["dedup_key"] for event in receiver.events()}) == 1


def test_a_private_address_is_refused_for_good_and_said(receiver):
    slack("https://hooks.example")
    breach()
    way_out = Egress(allowed_hosts=[], resolve=lambda host, port: ["10.0.0.7"])
    outbox.deliver_due(now=NOON, egress=way_out)
    row = Notification.objects.get(action="trigger")
    assert row.state == OutboxState.DEAD
    assert "10.0.0.7" in row.error


def test_a_row_whose_holder_died_is_taken_over_after_its_lease(receiver):
    pagerduty(receiver.url)
    breach()
    row = Notification.objects.get()
    assert outbox._lease(row.pk, now=NOON) is not None  # and dies here
    deliver(NOON + outbox.LEASE)
    assert receiver.requests == []
    deliver(NOON + outbox.LEASE + TICK)
    assert len(receiver.events("trigger")) == 1


def test_who_lost_the_lease_commits_nothing(receiver):
    pagerduty(receiver.url)
    breach()
    row = Notification.objects.get()
    lost = outbox._lease(row.pk, now=NOON)
    deliver(NOON + outbox.LEASE + TICK)
    answer = outbox.Answer(outbox.Outcome.PERMANENT, "too late")
    assert outbox._settle(lost, answer, now=NOON + MINUTE, jitter=0.5) is None
    assert Notification.objects.get().state == OutboxState.SENT


@pytest.mark.parametrize("seed", range(4))
def test_against_a_rude_receiver_every_incident_has_trigger_then_resolve(receiver, seed):
    receiver.rudeness, receiver.lost = 0.4, 0.1
    receiver.random = random.Random(seed)
    slack(receiver.url), pagerduty(receiver.url)
    opened = [breach(f"view_{n}", now=NOON) for n in range(8)]
    deliver(NOON, rounds=40, every=2 * SECOND)
    for incident in opened:
        recover(incident, now=NOON + 2 * MINUTE)
    deliver(NOON + 2 * MINUTE, rounds=200, every=10 * SECOND)
    assert {state for *_, state in states()} <= {OutboxState.SENT, OutboxState.SUPERSEDED}
    by_key = {}
    for event in receiver.events():
        by_key.setdefault(event["dedup_key"], []).append(event["event_action"])
    assert len(by_key) == len(opened)
    for actions in by_key.values():
        # A lost answer doubles an event; nothing else does, and nothing comes out of order.
        assert actions == sorted(actions, reverse=True)
        assert set(actions) == {"trigger", "resolve"}
