"""The receiver accepts what Slack and PagerDuty would, keeps it, and shows it."""

import json
import threading

import httpx
import pytest

from controlplane.project.demo.messages import Journal, Message, as_page, as_text
from controlplane.project.demo.receiver import MAX_BODY, PAGERDUTY_PATH, SLACK_PATH, Receiver
from controlplane.project.demo.receiver_rules import pagerduty_faults, slack_faults
from tests import pagerduty_rules, slack_rules
from tests.project.demo.story import NOW

SLACK = {
    "text": "INC-1 is stale",
    "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x"}}],
}
PAYLOAD = {"summary": "INC-1 is stale", "source": "flights/airport_weather", "severity": "critical"}
TRIGGER = {"routing_key": "R" * 32, "event_action": "trigger", "dedup_key": "d", "payload": PAYLOAD}
RESOLVE = {"routing_key": "R" * 32, "event_action": "resolve", "dedup_key": "d"}


@pytest.fixture
def receiver(places):
    with Receiver(0, Journal(places.journal)) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def post(receiver, path, body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(receiver.url + path, content=content, trust_env=False)


def test_messages_are_answered_as_documented_and_kept_in_order(receiver):
    said = post(receiver, SLACK_PATH, SLACK)
    assert (said.status_code, said.text) == (200, "ok")
    said = post(receiver, PAGERDUTY_PATH, TRIGGER)
    assert (said.status_code, said.json()["dedup_key"]) == (202, "d")
    assert post(receiver, PAGERDUTY_PATH, RESOLVE).status_code == 202
    kept = receiver.journal.read()
    assert [(message.kind, message.action) for message in kept] == [
        ("slack", ""),
        ("pagerduty", "trigger"),
        ("pagerduty", "resolve"),
    ]
    assert kept[1].body == TRIGGER


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/services/another", SLACK, 404),
        (SLACK_PATH, b"{", 400),
        (SLACK_PATH, {}, 400),
        (SLACK_PATH, b" " * (MAX_BODY + 1), 413),
        (PAGERDUTY_PATH, TRIGGER | {"routing_key": "short"}, 400),
        (PAGERDUTY_PATH, [], 400),
    ],
)
def test_what_they_would_refuse_is_refused_and_not_kept(receiver, path, body, status):
    assert post(receiver, path, body).status_code == status
    assert receiver.journal.read() == []


def test_the_page_and_the_list_show_what_came(receiver):
    assert "Nothing yet" in httpx.get(receiver.url, trust_env=False).text
    post(receiver, SLACK_PATH, SLACK)
    assert "INC-1 is stale" in httpx.get(receiver.url, trust_env=False).text
    (listed,) = httpx.get(f"{receiver.url}/messages", trust_env=False).json()
    assert listed["body"] == SLACK
    assert httpx.get(f"{receiver.url}/elsewhere", trust_env=False).status_code == 404


LONG = "x" * 4_000


@pytest.mark.parametrize(
    "body",
    [
        SLACK,
        {"text": "only text"},
        {},
        {"text": ""},
        {"text": "t", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": LONG}}]},
        {"text": "t", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": LONG}}]},
        {"text": "t", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "fine"}}] * 51},
    ],
)
def test_slack_is_judged_as_by_its_published_limits(body):
    assert bool(slack_faults(body)) == bool(slack_rules.faults(body))


@pytest.mark.parametrize(
    "event",
    [
        TRIGGER,
        RESOLVE,
        RESOLVE | {"dedup_key": ""},
        TRIGGER | {"dedup_key": "d" * 256},
        TRIGGER | {"event_action": "shout"},
        TRIGGER | {"payload": PAYLOAD | {"summary": "s" * 1_025}},
        TRIGGER | {"payload": PAYLOAD | {"severity": "awful"}},
        TRIGGER | {"payload": {"summary": "s", "severity": "info"}},
    ],
)
def test_pagerduty_is_judged_as_by_its_schema(event):
    assert bool(pagerduty_faults(event)) == bool(pagerduty_rules.faults(event))


@pytest.mark.parametrize(
    "body", [None, [], "text", {"blocks": 7}, {"blocks": [7]}, {"blocks": [{"type": "header", "text": 7}]}]
)
def test_what_is_no_message_at_all_is_a_fault_and_no_crash(body):
    assert slack_faults(body)
    assert pagerduty_faults(body)


def test_what_came_is_shown_as_text_and_nothing_of_it_runs():
    page = as_page([Message(NOW.isoformat(), "slack", {"text": "<script>alert(1)</script>"})])
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_line_in_a_terminal_says_when_whom_and_what():
    lines = [Message(NOW.isoformat(), "pagerduty", TRIGGER), Message(NOW.isoformat(), "pagerduty", RESOLVE)]
    assert as_text(lines).splitlines() == [
        "2026-11-23T12:00:00  pagerduty  trigger      INC-1 is stale",
        "2026-11-23T12:00:00  pagerduty  resolve      d",
    ]


def test_a_line_that_a_kill_cut_short_hides_no_other(places):
    journal = Journal(places.journal)
    journal.keep("slack", SLACK, now=NOW)
    with places.journal.open("a") as file:
        file.write('{"at": "2026')
    assert [message.kind for message in journal.read()] == ["slack"]
