"""The journal of what was sent, and how it is told to people: a line in a terminal, an item on a page."""

import html
import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came. ``kind``: slack or pagerduty. ``at``: an instant, ISO 8601."""

    at: str
    kind: str
    body: dict[str, Any]

    @property
    def action(self) -> str:
        """What PagerDuty is asked to do; empty for Slack."""
        return str(self.body.get("event_action", ""))

    @property
    def summary(self) -> str:
        """What a person reads first."""
        text = self.body.get("text") or (self.body.get("payload") or {}).get("summary")
        return str(text or self.body.get("dedup_key", ""))


class Journal:
    """A file with one message a line; many threads may add to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)

    def keep(self, kind: str, body: dict[str, Any], *, now: datetime) -> None:
        """Add a message."""
        line = json.dumps({"at": now.isoformat(), "kind": kind, "body": body})
        with self._writing, self._path.open("a") as file:
            file.write(line + "\n")

    def lines(self) -> list[str]:
        """Return the messages as they were kept, oldest first; a line that a kill cut short is none."""
        if not self._path.exists():
            return []
        return [line for line in self._path.read_text().splitlines() if line.endswith("}")]

    def read(self) -> list[Message]:
        """Return the messages, oldest first."""
        return [Message(**json.loads(line)) for line in self.lines()]


def as_text(messages: Iterable[Message]) -> str:
    """Return one line for each message."""
    return "\n".join(f"{m.at[:19]}  {m.kind:<9}  {m.action:<11}  {m.summary}" for m in messages)


def as_page(messages: list[Message]) -> str:
    """Return a page of the newest messages, the newest first."""
    items = "".join(_item(message) for message in reversed(messages[-SHOWN:]))
    nothing = "" if items else "<p>Nothing yet. Stop a source: <code>./dev demo break weather</code></p>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5">'
        "<title>Messages of the demo</title><h1>What Slack and PagerDuty were sent</h1>"
        f"<p>Nothing leaves this machine: the demo's channels end here.</p>{nothing}"
        f"<ol reversed>{items}</ol></html>"
    )


def _item(message: Message) -> str:
    head = f"{message.at[:19]} {message.kind} {message.action}"
    full = html.escape(json.dumps(message.body, indent=1))
    return (
        f"<li><b>{html.escape(head)}</b> {html.escape(message.summary)}"
        f"<details><summary>as it came</summary><pre>{full}</pre></details></li>"
    )
