"""What an HTTP answer means, shared by channels: tables of status codes, and Retry-After."""

from collections.abc import Mapping
from datetime import timedelta

from monitors.channels.egress import Reply
from monitors.domain.notifications import Answer, Outcome

MAX_RETRY_AFTER = timedelta(hours=24)
SHOWN_BODY = 200


def outcome_of(status: int, special: Mapping[int, Outcome]) -> Outcome:
    """Return what ``status`` means: the channel's own table first, then HTTP's classes."""
    if status in special:
        return special[status]
    if 200 <= status < 300:
        return Outcome.SENT
    if status in (408, 425, 429) or status >= 500:
        return Outcome.PAUSE if status == 429 else Outcome.RETRY
    # Redirects are among these: following one is how a public name leads inside.
    return Outcome.PERMANENT


def answer(reply: Reply, outcome: Outcome) -> Answer:
    """Return the outcome with the receiver's words and its Retry-After."""
    words = reply.body[:SHOWN_BODY].decode(errors="replace").strip()
    wait = retry_after(reply.headers) if reply.status == 429 else None
    return Answer(outcome, f"HTTP {reply.status} {words}".strip(), retry_after=wait)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return Retry-After where it is a number of seconds; Slack and PagerDuty send nothing else."""
    text = headers.get("retry-after", "").strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return min(timedelta(seconds=int(text[:9])), MAX_RETRY_AFTER)
