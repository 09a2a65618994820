"""The outbox, decided: what a row does next, when it is tried again, and what a transition sends to whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitors.domain.routing import Purpose

FIRST_BACKOFF = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(minutes=5)
# After this long the problem is no news any more.
GIVE_UP_AFTER = timedelta(hours=24)


class Action(StrEnum):
    """What a notification tells."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    UPDATE = "update"  # a cause was found
    RESOLVE = "resolve"
    BRIEF = "brief"  # opened and resolved before anybody was told: one chat message
    LINKED = "linked"  # to the owner of a child: it belongs to that root


class OutboxState(StrEnum):
    """Where a notification stands."""

    PENDING = "pending"
    LEASED = "leased"
    MUTED = "muted"
    SENT = "sent"
    SUPERSEDED = "superseded"
    FAILED_OVER = "failed_over"
    DEAD = "dead"


# Later rows of the same incident and channel wait while an earlier one is in one of these.
UNFINISHED = (OutboxState.PENDING, OutboxState.LEASED, OutboxState.MUTED)
# What a silence may hold back; whoever was told of a problem is always told of its end.
MAY_BE_MUTED = frozenset({Action.TRIGGER, Action.UPDATE, Action.BRIEF, Action.LINKED})


class Outcome(StrEnum):
    """What an attempt came to."""

    SENT = "sent"
    RETRY = "retry"
    PAUSE = "pause"  # the whole channel waits
    PLAIN = "plain"  # once more, as plain text
    PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Answer:
    """An attempt's outcome, in the channel's words; ``retry_after`` is the receiver's own demand."""

    outcome: Outcome
    reason: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Attempted:
    """The row as it was attempted: ``attempts`` includes this one."""

    attempts: int
    created_at: datetime
    is_plain: bool
    has_fallback: bool


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of the row, and until when the whole channel is held."""

    state: OutboxState
    due_at: datetime | None = None
    channel_free_at: datetime | None = None
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What one channel has been told of an incident: its last trigger row."""

    channel: int
    purpose: Purpose
    trigger_state: OutboxState
    attempted: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """What the end of an incident means for one channel."""

    channel: int
    withdraw_trigger: bool
    send: Action | None


def backoff(attempts: int, *, random: float) -> timedelta:
    """Return full jitter: ``random`` (0 to 1) of a cap that doubles from 1 s to 5 min."""
    doublings: int = 2 ** min(attempts - 1, 20)
    return min(LONGEST_BACKOFF, FIRST_BACKOFF * doublings) * random


def after_attempt(row: Attempted, answer: Answer, *, now: datetime, random: float) -> Next:
    """Return what an answer that came at ``now`` does to the row."""
    return _AFTER[answer.outcome](row, answer, now, random)


def _sent(row: Attempted, answer: Answer, now: datetime, random: float) -> Next:
    return Next(OutboxState.SENT)


def _retry(row: Attempted, answer: Answer, now: datetime, random: float) -> Next:
    if now - row.created_at >= GIVE_UP_AFTER:
        return _permanent(row, answer, now, random)
    due = now + backoff(row.attempts, random=random)
    return Next(OutboxState.PENDING, due_at=due, is_plain=row.is_plain)


def _pause(row: Attempted, answer: Answer, now: datetime, random: float) -> Next:
    """Wait exactly as long as the receiver says; only without its word, as long as we would."""
    free_at = now + (
        answer.retry_after if answer.retry_after is not None else backoff(row.attempts, random=random)
    )
    if now - row.created_at >= GIVE_UP_AFTER:
        given_up = _permanent(row, answer, now, random)
        return Next(given_up.state, channel_free_at=free_at)
    return Next(OutboxState.PENDING, due_at=free_at, channel_free_at=free_at, is_plain=row.is_plain)


def _plain(row: Attempted, answer: Answer, now: datetime, random: float) -> Next:
    if row.is_plain:
        return _permanent(row, answer, now, random)
    return Next(OutboxState.PENDING, due_at=now, is_plain=True)


def _permanent(row: Attempted, answer: Answer, now: datetime, random: float) -> Next:
    return Next(OutboxState.FAILED_OVER if row.has_fallback else OutboxState.DEAD)


_AFTER = {
    Outcome.SENT: _sent,
    Outcome.RETRY: _retry,
    Outcome.PAUSE: _pause,
    Outcome.PLAIN: _plain,
    Outcome.PERMANENT: _permanent,
}

# A channel whose trigger stands like this knows of the incident, or is about to.
_KNOWS = frozenset({OutboxState.PENDING, OutboxState.LEASED, OutboxState.SENT, OutboxState.MUTED})
_UNTOLD: Mapping[Purpose, Action | None] = {Purpose.CHAT: Action.BRIEF, Purpose.PAGER: None}


def followers(told: Iterable[Told]) -> tuple[int, ...]:
    """Return the channels that an acknowledge or an update goes to: exactly those of the trigger."""
    return tuple(one.channel for one in told if one.trigger_state in _KNOWS)


def endings(told: Iterable[Told]) -> tuple[Ending, ...]:
    """Return what each channel of a trigger gets when the incident resolves.

    Never attempted: the trigger is withdrawn; a chat gets one message for both, a pager nothing, a silenced
    channel nothing. Attempted at least once, the receiver may have it: trigger and resolve both go.
    """
    found = []
    for one in told:
        if one.trigger_state not in _KNOWS:
            continue
        if one.attempted:
            found.append(Ending(one.channel, withdraw_trigger=False, send=Action.RESOLVE))
        elif one.trigger_state is OutboxState.MUTED:
            found.append(Ending(one.channel, withdraw_trigger=True, send=None))
        else:
            found.append(Ending(one.channel, withdraw_trigger=True, send=_UNTOLD[one.purpose]))
    return tuple(found)
