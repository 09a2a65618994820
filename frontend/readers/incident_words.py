"""Incidents in the words of the messages about them."""

from collections.abc import Mapping, Sequence

from frontend.wording import amount
from monitors.domain.incidents import FAMILY_WORDS, Family
from monitors.domain.titles import clause_of_many

# The outbox's states, as ``states.MESSAGES`` calls them.
OUTBOX = {
    "pending": "waiting",
    "leased": "sending",
    "sent": "sent",
    "muted": "muted",
    "superseded": "withdrawn",
    "failed_over": "failed_over",
    "dead": "dead",
}
ACTIONS = {
    "trigger": "opened",
    "acknowledge": "acknowledged",
    "update": "cause found",
    "resolve": "resolved",
    "brief": "opened and resolved",
    "linked": "belongs to another",
}
_KINDS = {
    "opened": "Opened",
    "reopened": "Opened again",
    "attached": "Another monitor breaches",
    "cause": "Cause found",
    "child": "Joined by",
    "linked": "Linked",
    "left": "On its own",
    "merged": "Merged",
    "worse": "Got worse",
    "acknowledged": "Acknowledged",
    "resolved": "Resolved",
    "sent": "Sent",
    "not_sent": "Not delivered",
}


def title_of(family: str, view: str, views: Sequence[str], summary: str, *, service: str) -> str:
    """Return what is wrong in one line, in the words of the messages."""
    if family == Family.META:
        return summary
    word = FAMILY_WORDS[Family(family)]
    return clause_of_many(word, view=view or views[0], service=service, views=len(views))


def entry_of(kind: str, text: str) -> str:
    """Return a line of the timeline; a person's note stands for itself."""
    word = _KINDS.get(kind, "")
    return f"{word}: {text}" if word and text else word or text


def why_this_cause(cause: Mapping[str, object] | None, *, views: int, is_known: bool) -> str:
    """Return what speaks for the cause; "" when there is none."""
    if cause is None:
        return ""
    if not is_known:
        return "The cause lies in a project that you may not read."
    if cause.get("confidence") == "low":
        return "one timestamp speaks for it"
    told = "bad before the view was, and nothing good came from it since"
    return f"{told}; it explains {amount(views, 'view')}" if views > 1 else told
