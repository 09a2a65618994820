"""What Slack and PagerDuty get: golden bodies, their limits, and names that mean harm."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.channels import pagerduty, slack
from monitors.channels.egress import Reply
from monitors.domain.incidents import Severity
from monitors.domain.messages import CauseText, Story
from monitors.domain.notifications import Action, Outcome
from monitors.domain.words import spell_age
from tests import pagerduty_rules, slack_rules

GOLDEN = Path(__file__).parents[1] / "golden"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STORY = Story(
    number=142,
    dedup_key="freshline-0123456789abcdef0123456789abcdef",
    action=Action.TRIGGER,
    project="flights",
    view="carrier_delays",
    subject="view:flights/carrier_delays",
    kind="failed_run",
    word="stale",
    severity=Severity.CRITICAL,
    owner="delays",
    how_bad="age 42 min of the oldest keys (95th percentile), max 15 min, 2.8x",
    opened_at=NOON,
    now=NOON + timedelta(minutes=7, seconds=30),
    link="https://freshline.example/incidents/INC-142",
    views=("carrier_delays", "airport_weather"),
    cause=CauseText(
        "job:etl|refine", "0190a0c2-0000-7000-8000-000000000001", "disk full on node 3", is_sure=True
    ),
    services=("delay_ranker", "eta"),
    models=("delay-ranker@2026-11",),
    lookups_per_minute=410.0,
    runbook="https://wiki.example/runbooks/carrier-delays",
)
HOSTILE = (
    '<!channel> & <https://evil.example|click> *bold* `code` "quoted" \u202egnp.exe \x00\x07 \U0001f600' * 40
)
STORIES = {
    "trigger": STORY,
    "trigger_without_cause": replace(
        STORY, cause=None, kind="served_age", views=("carrier_delays",), services=(), models=(), runbook=""
    ),
    "acknowledge": replace(STORY, action=Action.ACKNOWLEDGE, note="by ada"),
    "update": replace(STORY, action=Action.UPDATE),
    "resolve": replace(STORY, action=Action.RESOLVE, note="every monitor is ok again"),
    "brief": replace(STORY, action=Action.BRIEF),
    "linked": replace(STORY, action=Action.LINKED, root_number=141, views=("carrier_delays",)),
    "service": replace(
        STORY,
        service="eta",
        subject="service:flights/eta",
        cause=None,
        kind="served_age",
        how_bad="age 1 min 16 s of the oldest keys (95th percentile), max 1 min, 1.3x",
        views=("carrier_delays",),
        services=("eta",),
        models=(),
    ),
    "hostile": replace(
        STORY,
        view=HOSTILE,
        how_bad=HOSTILE,
        owner=HOSTILE,
        views=(HOSTILE, *(f"view_{n}" for n in range(500))),
        services=(HOSTILE,) * 50,
        models=(HOSTILE,) * 50,
        cause=CauseText(HOSTILE, HOSTILE, HOSTILE, is_sure=True),
        runbook="https://wiki.example/" + "x" * 5_000,
        note=HOSTILE,
    ),
}
TO_PAGERDUTY = {name: story for name, story in STORIES.items() if pagerduty.speaks(story.action)}


def compare(request, name, body):
    path = GOLDEN / f"{name}.json"
    if request.config.getoption("--rewrite"):
        path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
    assert json.loads(path.read_text()) == body


@pytest.mark.parametrize("name", STORIES)
def test_slack_gets_the_golden_body(request, name):
    body = slack.render(STORIES[name], plain=False)
    assert slack_rules.faults(body) == []
    compare(request, f"slack_{name}", body)


@pytest.mark.parametrize("name", STORIES)
def test_slack_gets_a_plain_text_when_it_refused_the_blocks(name):
    body = slack.render(STORIES[name], plain=True)
    assert list(body) == ["text"]
    assert slack_rules.faults(body) == []
    assert len(body["text"]) <= slack.TEXT_LIMIT


@pytest.mark.parametrize("name", TO_PAGERDUTY)
def test_pagerduty_gets_the_golden_event(request, name):
    event = pagerduty.render(STORIES[name])
    assert pagerduty_rules.faults(pagerduty.with_key(event, "R0")) == []
    compare(request, f"pagerduty_{name}", event)


@pytest.mark.parametrize("render", [lambda s: slack.render(s, plain=False), pagerduty.render])
def test_a_trigger_tells_what_how_bad_the_cause_who_is_hit_and_what_to_do(render):
    said = json.dumps(render(STORY))
    for word in (
        "flights/carrier_delays",
        "2 views stale",
        "age 42 min",
        "max 15 min, 2.8x",
        "job:etl|refine",
        "0190a0c2-0000-7000-8000-000000000001",
        "disk full on node 3",
        "delay_ranker",
        "delay-ranker@2026-11",
        "410 lookups/min",
        "https://wiki.example/runbooks/carrier-delays",
        "https://freshline.example/incidents/INC-142",
        "2026-11-23",
    ):
        assert word in said, word


def test_every_event_of_an_incident_bears_one_dedup_key():
    assert {pagerduty.render(story)["dedup_key"] for story in TO_PAGERDUTY.values()} == {STORY.dedup_key}


def test_the_routing_key_is_in_no_rendered_body():
    assert "routing_key" not in pagerduty.render(STORY)
    assert pagerduty.with_key({"event_action": "resolve"}, "R0")["routing_key"] == "R0"


TEXT = st.text(max_size=4_000)


@given(
    text=TEXT,
    other=TEXT,
    count=st.integers(1, 300),
    action=st.sampled_from(Action),
    severity=st.sampled_from(Severity),
)
def test_whatever_the_names_are_the_bodies_are_valid(text, other, count, action, severity):
    story = replace(
        STORY,
        action=action,
        severity=severity,
        view=text,
        how_bad=other,
        owner=text,
        note=other,
        runbook=text,
        views=(text,) * count,
        services=(other,) * count,
        cause=CauseText(text, other, text, is_sure=True),
        root_number=1,
    )
    for plain in (False, True):
        assert slack_rules.faults(slack.render(story, plain=plain)) == []
    if pagerduty.speaks(action):
        assert pagerduty_rules.faults(pagerduty.with_key(pagerduty.render(story), "R0")) == []


@given(st.text(), st.integers(1, 40))
def test_escaping_never_cuts_an_entity_in_two(text, limit):
    escaped = slack.escape(text, limit=limit)
    assert len(escaped) <= limit
    whole = slack.escape(text, limit=10 * len(text) + 1)
    assert escaped == whole or (escaped.endswith("…") and whole.startswith(escaped[:-1]))


def reply(status, body=b"", **headers):
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, 0.1)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"ok", Outcome.SENT),
        (200, b"<html>sign in</html>", Outcome.RETRY),
        (200, b"", Outcome.RETRY),
        (400, b"invalid_blocks", Outcome.PLAIN),
        (400, b"invalid_payload", Outcome.PLAIN),
        (400, b"no_text", Outcome.PERMANENT),
        (403, b"action_prohibited", Outcome.PERMANENT),
        (404, b"no_service", Outcome.PERMANENT),
        (404, b"channel_not_found", Outcome.PERMANENT),
        (410, b"channel_is_archived", Outcome.PERMANENT),
        (301, b"", Outcome.PERMANENT),
        (429, b"", Outcome.PAUSE),
        (500, b"rollup_error", Outcome.RETRY),
        (503, b"", Outcome.RETRY),
    ],
)
def test_slack_says(status, body, expected):
    assert slack.classify(reply(status, body)).outcome is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (202, Outcome.SENT),
        (400, Outcome.PERMANENT),
        (404, Outcome.PERMANENT),
        (408, Outcome.RETRY),
        (429, Outcome.PAUSE),
        (500, Outcome.RETRY),
        (307, Outcome.PERMANENT),
    ],
)
def test_pagerduty_says(status, expected):
    assert pagerduty.classify(reply(status)).outcome is expected


@pytest.mark.parametrize(
    ("text", "seconds"), [("30", 30), ("0", 0), ("", None), ("soon", None), ("-1", None), ("1.5", None)]
)
def test_retry_after_is_read_where_it_is_a_number(text, seconds):
    found = slack.classify(reply(429, retry_after=text)).retry_after
    assert found == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0.2 s"),
        (12, "12 s"),
        (60, "1 min"),
        (2_520, "42 min"),
        (11_100, "3 h 5 min"),
        (93_600, "1 d 2 h"),
    ],
)
def test_an_age_reads_well(seconds, text):
    assert spell_age(seconds) == text
