"""What Slack's incoming webhooks and PagerDuty's Events v2 accept, as far as their documentation says."""

from typing import Any

MAX_BLOCKS = 50
MAX_TEXTS = {"header": 150, "section": 3_000}
MAX_SUMMARY = 1_024
MAX_DEDUP_KEY = 255
ROUTING_KEY_LENGTH = 32
_ACTIONS = frozenset({"trigger", "acknowledge", "resolve"})
_SEVERITIES = frozenset({"critical", "error", "warning", "info"})


def slack_faults(body: Any) -> list[str]:
    """Return what Slack would refuse of a message, in its words."""
    if not isinstance(body, dict):
        return ["invalid_payload"]
    blocks = body.get("blocks", [])
    if not isinstance(blocks, list) or len(blocks) > MAX_BLOCKS:
        return ["invalid_blocks"]
    if not body.get("text") and not blocks:
        return ["no_text"]
    return [] if all(map(_is_block, blocks)) else ["invalid_blocks"]


def pagerduty_faults(event: Any) -> list[str]:
    """Return everything that PagerDuty would refuse of an event."""
    if not isinstance(event, dict):
        return ["Event object is invalid"]
    found = []
    if len(str(event.get("routing_key", ""))) != ROUTING_KEY_LENGTH:
        found.append(f"'routing_key' has {ROUTING_KEY_LENGTH} characters")
    action = event.get("event_action")
    if action not in _ACTIONS:
        found.append("'event_action' is one of trigger, acknowledge, resolve")
    key = event.get("dedup_key", "")
    if not isinstance(key, str) or len(key) > MAX_DEDUP_KEY or (action != "trigger" and not key):
        found.append(f"'dedup_key' has at most {MAX_DEDUP_KEY} characters, and ends what was triggered")
    return found + (_payload_faults(event.get("payload")) if action == "trigger" else [])


def _is_block(block: Any) -> bool:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        return False
    text = block.get("text")
    if text is None:
        return True
    if not isinstance(text, dict) or not isinstance(text.get("text"), str):
        return False
    return 1 <= len(text["text"]) <= MAX_TEXTS.get(block["type"], MAX_TEXTS["section"])


def _payload_faults(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    found = []
    if not 1 <= len(str(payload.get("summary") or "")) <= MAX_SUMMARY:
        found.append(f"'payload.summary' has 1 to {MAX_SUMMARY} characters")
    if not payload.get("source"):
        found.append("'payload.source' is missing or blank")
    if payload.get("severity") not in _SEVERITIES:
        found.append("'payload.severity' is one of critical, error, warning, info")
    return found
