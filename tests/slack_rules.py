"""What Slack accepts, by the limits that it publishes (golden/schemas/slack-limits.json)."""

import json
import re
from pathlib import Path

LIMITS = json.loads((Path(__file__).parent / "golden" / "schemas" / "slack-limits.json").read_text())
MAX_BLOCKS = 50
MAX_CHARACTERS = 9_000
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")


def faults(body):
    """Return everything that Slack would refuse, or read as something else than text."""
    found = []
    if not body.get("text"):
        found.append("no text")
    blocks = body.get("blocks", [])
    if len(blocks) > MAX_BLOCKS:
        found.append("too many blocks")
    for block in blocks:
        found += _KINDS[block["type"]](block)
    for text in texts(body):
        if _ENTITY.search(text) or "<" in text or ">" in text:
            found.append(f"unescaped: {text!r}")
    if None in _values(body):
        found.append("explicit null")
    if sum(map(len, texts(body))) > MAX_CHARACTERS:
        found.append("too long altogether")
    return found


def texts(body):
    """Return every text that Slack shows."""
    found = [body["text"]] if isinstance(body.get("text"), str) else []
    for block in body.get("blocks", []):
        for holder in (block, *block.get("elements", [])):
            if isinstance(holder.get("text"), dict):
                found.append(holder["text"]["text"])
        found += [field["text"] for field in block.get("fields", [])]
    return found


def _between(text, low, high, what):
    return [] if low <= len(text) <= high else [f"{what} of {len(text)} characters"]


def _header(block):
    assert block["text"]["type"] == "plain_text"
    return _between(block["text"]["text"], 1, LIMITS["header"]["text"]["max_length"], "header")


def _section(block):
    found = []
    if "text" in block:
        found += _between(block["text"]["text"], 1, LIMITS["section"]["text"]["max_length"], "section")
    fields = block.get("fields", [])
    if len(fields) > LIMITS["section"]["fields"]["max_items"] or not (fields or "text" in block):
        found.append("fields")
    for field in fields:
        found += _between(field["text"], 1, LIMITS["section"]["fields"]["item_max_length"], "field")
    return found


def _actions(block):
    elements = block["elements"]
    found = [] if 1 <= len(elements) <= LIMITS["actions"]["elements"]["max_items"] else ["actions"]
    if len({element["action_id"] for element in elements}) != len(elements):
        found.append("action_id twice")
    for element in elements:
        found += _between(element["text"]["text"], 1, LIMITS["button"]["text"]["max_length"], "button")
        found += _between(element["url"], 1, LIMITS["button"]["url"]["max_length"], "url")
        found += _between(element["action_id"], 1, LIMITS["action_id"]["max_length"], "action_id")
    return found


_KINDS = {"header": _header, "section": _section, "actions": _actions}


def _values(node):
    if isinstance(node, dict):
        for value in node.values():
            yield from _values(value)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value)
    else:
        yield node
