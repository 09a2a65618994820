"""The words, tones and order of every state that people see; the shapes are in icons.json."""

import json
from dataclasses import dataclass
from pathlib import Path

ICONS: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "icons.json").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is told: its word, and the tone (a set of colour tokens) that supports it."""

    word: str
    tone: str
    meaning: str = ""


# Worst first: the order of every list and every stacked bar.
HEALTH: dict[str, Look] = {
    "missing": Look("Missing", "breach", "No value where one is promised, or never ingested"),
    "stale": Look("Stale", "breach", "Older than its maximum age"),
    "violating": Look("Violating", "breach", "Lookups break the contract"),
    "late": Look("Late", "late", "Past the warning, within the maximum age"),
    "no_data": Look("No data", "nodata", "Nobody knows: no result for three intervals, or still learning"),
    "paused": Look("Paused", "paused", "A person switched monitoring off"),
    "fresh": Look("Fresh", "fresh", "Within its limits"),
}
RUNS: dict[str, Look] = {
    "queued": Look("Queued", "nodata"),
    "running": Look("Running", "nodata"),
    "held": Look("Held", "late", "Waits for a person to release it"),
    "succeeded": Look("Succeeded", "fresh"),
    "failed": Look("Failed", "breach"),
    "aborted": Look("Aborted", "nodata"),
    "hollow": Look("Hollow", "late", "Reported success, wrote nothing and moved nothing"),
}
INCIDENTS: dict[str, Look] = {
    "open": Look("Open", "breach"),
    "acknowledged": Look("Acknowledged", "late"),
    "silenced": Look("Silenced", "paused"),
    "resolved": Look("Resolved", "fresh"),
}
# How a message about an incident ended, or has not yet.
MESSAGES: dict[str, Look] = {
    "waiting": Look("Waiting", "nodata", "Not sent yet"),
    "sending": Look("Sending", "nodata"),
    "sent": Look("Sent", "fresh"),
    "muted": Look("Muted", "paused", "Held back by a silence"),
    "withdrawn": Look("Withdrawn", "nodata", "No longer needed when it was due"),
    "failed_over": Look("Passed on", "late", "Refused here; the fallback channel took over"),
    "dead": Look("Not delivered", "breach", "Refused for good, or given up"),
}
# Of channels and of the parts of the installation.
OTHERS: dict[str, Look] = {
    "good": Look("Good", "fresh"),
    "behind": Look("Behind", "late"),
    "delivered": Look("Delivered", "fresh"),
    "failing": Look("Failing", "breach"),
    "untested": Look("Untested", "nodata"),
    "stopped": Look("Stopped", "breach", "Brings nothing new"),
}
LOOKS: dict[str, Look] = {**HEALTH, **RUNS, **INCIDENTS, **MESSAGES, **OTHERS}

# What is wrong with one value at lookup, in the words of the contract.
VERDICTS: dict[str, str] = {
    "fresh": "fresh",
    "null": "fresh",
    "missing": "missing",
    "stale": "stale",
    "invalid": "violating",
    "unavailable": "no_data",
}


def look(state: str) -> Look:
    """Return how ``state`` is told; a state nobody has heard of is told as No data, never as fresh."""
    return LOOKS.get(state, HEALTH["no_data"])


def severity(state: str) -> int:
    """Return the place of a health state in the order worst first; the unknown sorts as No data."""
    order = list(HEALTH)
    return order.index(state if state in HEALTH else "no_data")
