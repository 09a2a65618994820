"""PagerDuty Events v2: trigger, acknowledge, resolve, all of one incident under one dedup key."""

from collections.abc import Mapping
from typing import Any

from monitors.channels import replies
from monitors.channels.egress import Reply
from monitors.domain.incidents import Severity
from monitors.domain.messages import SHOWN_NAMES, Story, cause_sentence, headline, hit_sentence, what
from monitors.domain.notifications import Action, Answer, Outcome

URL = "https://events.pagerduty.com/v2/enqueue"
SUMMARY_LIMIT = 1_024
DEDUP_LIMIT = 255
TEXT_LIMIT = 2_000
_SEVERITIES: Mapping[Severity, str] = {
    Severity.CRITICAL: "critical",
    Severity.WARNING: "warning",
    Severity.INFO: "info",
}
# An update is a trigger on the same key: PagerDuty adds it to the alert that is open.
_EVENT_ACTIONS: Mapping[Action, str] = {
    Action.TRIGGER: "trigger",
    Action.UPDATE: "trigger",
    Action.ACKNOWLEDGE: "acknowledge",
    Action.RESOLVE: "resolve",
}
_STATUS: Mapping[int, Outcome] = {400: Outcome.PERMANENT}


def speaks(action: Action) -> bool:
    """Whether PagerDuty has a word for ``action``; the others are for chats."""
    return action in _EVENT_ACTIONS


def render(story: Story) -> dict[str, Any]:
    """Return the event without its routing key, which is a secret and joins when the event is sent."""
    event: dict[str, Any] = {
        "event_action": _EVENT_ACTIONS[story.action],
        "dedup_key": story.dedup_key[:DEDUP_LIMIT],
    }
    if event["event_action"] != "trigger":
        return event
    return event | {
        "client": "Freshline",
        "client_url": story.link,
        "links": _links(story),
        "payload": {
            "summary": _clip(headline(story), SUMMARY_LIMIT),
            "severity": _SEVERITIES[story.severity],
            "source": _clip(f"{story.project}/{story.view or story.subject}", TEXT_LIMIT),
            "component": _clip(story.view or story.subject, TEXT_LIMIT),
            "group": story.project,
            "class": story.kind,
            "timestamp": story.opened_at.isoformat(timespec="milliseconds"),
            "custom_details": _details(story),
        },
    }


def with_key(event: Mapping[str, Any], routing_key: str) -> dict[str, Any]:
    """Return the event as it is sent."""
    return {"routing_key": routing_key, **event}


def classify(reply: Reply) -> Answer:
    """Return what the answer means: 202 accepts, 400 is wrong for ever, 429 pauses, 5xx is tried again."""
    return replies.answer(reply, replies.outcome_of(reply.status, _STATUS))


def _details(story: Story) -> dict[str, Any]:
    details: dict[str, Any] = {
        "what": what(story),
        "how_bad": story.how_bad,
        "since": story.opened_at.isoformat(),
        "cause": cause_sentence(story),
        "who_is_hit": hit_sentence(story),
        "owner": story.owner,
        "views": list(story.views[:SHOWN_NAMES]),
        "runbook": story.runbook,
    }
    return {name: _short(value) for name, value in details.items() if value}


def _short(value: str | list[str]) -> str | list[str]:
    if isinstance(value, list):
        return [_clip(item, TEXT_LIMIT) for item in value]
    return _clip(value, TEXT_LIMIT)


def _links(story: Story) -> list[dict[str, str]]:
    links = [{"href": story.link, "text": f"{story.name} in Freshline"}]
    if story.runbook.startswith(("https://", "http://")):
        links.append({"href": story.runbook, "text": "Runbook"})
    return links


def _clip(text: str, limit: int) -> str:
    cleaned = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…"
