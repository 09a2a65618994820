"""Slack incoming webhooks: Block Kit within its limits, everything escaped, success is 200 and ``ok``."""

from collections.abc import Mapping
from typing import Any

from monitors.channels import replies
from monitors.channels.egress import Reply
from monitors.domain.messages import Story, cause_sentence, headline, hit_sentence, lasted, names, what
from monitors.domain.notifications import Action, Answer, Outcome

HEADER_LIMIT = 150
TEXT_LIMIT = 3_000
FIELD_LIMIT = 2_000
BUTTON_LIMIT = 75
URL_LIMIT = 3_000
# Five long texts and the fallback at this length stay under Slack's 9,000 characters a message.
PART_LIMIT = 1_200
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_PERMANENT_WORDS = (
    b"no_service",
    b"no_team",
    b"team_disabled",
    b"invalid_token",
    b"channel_not_found",
    b"channel_is_archived",
    b"action_prohibited",
    b"posting_to_general_channel_denied",
)
_STATUS: Mapping[int, Outcome] = {400: Outcome.PERMANENT, 403: Outcome.PERMANENT, 404: Outcome.PERMANENT}


def escape(text: str, *, limit: int) -> str:
    """Return ``text`` so that Slack reads nothing into it, at most ``limit`` long, no entity cut in two."""
    cleaned = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    pieces: list[str] = []
    left = limit
    for position, character in enumerate(cleaned):
        piece = _ESCAPES.get(character, character)
        room = left if position == len(cleaned) - 1 else left - 1
        if len(piece) > room:
            pieces.append("…" if left else "")
            break
        pieces.append(piece)
        left -= len(piece)
    return "".join(pieces)


def render(story: Story, *, plain: bool) -> dict[str, Any]:
    """Return the body of the POST; ``plain``: text alone, for a hook that refused the blocks."""
    lines = [headline(story), *_LINES[story.action](story)]
    if plain:
        return {"text": escape("\n".join([*lines, story.link]), limit=TEXT_LIMIT)}
    return {
        "text": escape(headline(story), limit=PART_LIMIT),
        "unfurl_links": False,
        "blocks": [
            {
                "type": "header",
                "text": {"type": "plain_text", "text": escape(headline(story), limit=HEADER_LIMIT)},
            },
            *[_section(line) for line in lines[1:] if line],
            *_fields(story),
            _buttons(story),
        ],
    }


def classify(reply: Reply) -> Answer:
    """Return what the answer means; only 200 with the body ``ok`` is success."""
    words = reply.body.strip()
    if reply.status == 200 and words != b"ok":
        return replies.answer(reply, Outcome.RETRY)
    if words.startswith((b"invalid_blocks", b"invalid_payload", b"invalid_attachments")):
        return replies.answer(reply, Outcome.PLAIN)
    if words.startswith(_PERMANENT_WORDS):
        return replies.answer(reply, Outcome.PERMANENT)
    return replies.answer(reply, replies.outcome_of(reply.status, _STATUS))


def _trouble(story: Story) -> list[str]:
    return [
        f"{what(story)}: {story.how_bad}" if story.how_bad else what(story),
        f"Cause: {cause_sentence(story)}",
        f"Who is hit: {hit_sentence(story)}",
        f"Views: {names(story.views)}" if len(story.views) > 1 else "",
        f"Runbook: {story.runbook}" if story.runbook else "",
    ]


def _cause(story: Story) -> list[str]:
    return [f"Cause: {cause_sentence(story)}", f"Who is hit: {hit_sentence(story)}"]


def _end(story: Story) -> list[str]:
    return [f"Lasted {lasted(story)}. {story.note}".strip(), f"Cause: {cause_sentence(story)}"]


def _note(story: Story) -> list[str]:
    return [story.note]


_LINES = {
    Action.TRIGGER: _trouble,
    Action.ACKNOWLEDGE: _note,
    Action.UPDATE: _cause,
    Action.RESOLVE: _end,
    Action.BRIEF: _trouble,
    Action.LINKED: _cause,
}


def _section(line: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": escape(line, limit=PART_LIMIT)}}


def _fields(story: Story) -> list[dict[str, Any]]:
    shown = {
        "Severity": story.severity.value,
        "Since": f"{story.opened_at:%Y-%m-%d %H:%M:%S} UTC",
        "Owner": story.owner or "nobody",
        "Project": story.project,
    }
    fields = [
        {"type": "mrkdwn", "text": f"*{name}*\n{escape(value, limit=200)}"} for name, value in shown.items()
    ]
    return [{"type": "section", "fields": fields}] if story.action in (Action.TRIGGER, Action.BRIEF) else []


def _buttons(story: Story) -> dict[str, Any]:
    links = {f"Open {story.name}": story.link}
    if story.action in (Action.TRIGGER, Action.UPDATE):
        links["Acknowledge"] = f"{story.link}?do=acknowledge"
        links["Silence"] = f"{story.link}?do=silence"
    if story.runbook.startswith(("https://", "http://")) and len(story.runbook) <= URL_LIMIT:
        links["Runbook"] = story.runbook
    elements = [
        {
            "type": "button",
            "action_id": f"open-{position}",
            "text": {"type": "plain_text", "text": escape(label, limit=BUTTON_LIMIT)},
            "url": url,
        }
        for position, (label, url) in enumerate(links.items())
    ]
    return {"type": "actions", "elements": elements}
