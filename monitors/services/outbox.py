"""Delivering notifications: lease, render once, POST outside any transaction, commit what came of it.

A channel carries one message at a time: claiming a row holds its channel too, so that nothing is sent to a
receiver that is just asking for a pause, and Slack's one message a second is kept by any number of notifiers.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from controlplane.kernel.errors import Unavailable
from monitors.channels.egress import TIMEOUT_SECONDS, Egress
from monitors.channels.kinds import CHANNELS, Sent, send
from monitors.domain import notifications
from monitors.domain.incidents import IncidentState
from monitors.domain.notifications import (
    MAY_BE_MUTED,
    UNFINISHED,
    Action,
    Answer,
    Attempted,
    Next,
    OutboxState,
    Outcome,
)
from monitors.domain.routing import ChannelKind
from monitors.models import Channel, Notification
from monitors.services import failover
from monitors.services.beats import beat
from monitors.services.locks import lock_project
from monitors.services.sealing import unsealed_config
from monitors.services.silences import muted_until
from monitors.services.storytelling import tell_story
from monitors.services.timeline import tell

LEASE = timedelta(seconds=3 * TIMEOUT_SECONDS)
WAITING = [state.value for state in UNFINISHED]
# Of no interest once the incident is over.
_NEWS = frozenset({Action.UPDATE, Action.LINKED})
_GIVEN_UP = frozenset({OutboxState.DEAD, OutboxState.FAILED_OVER})


@dataclass(frozen=True, slots=True)
class Delivery:
    """A leased row, rendered."""

    row: Notification
    fence: int
    channel: Channel
    held_until: datetime


def deliver_due(
    *,
    now: datetime,
    egress: Egress | None = None,
    jitter: Callable[[], float] = random.random,
    limit: int = 50,
) -> int:
    """Attempt what is due, at most ``limit`` rows, one a channel at a time; returns how many attempts."""
    beat("notify", now=now)
    way_out = egress or Egress(allowed_hosts=settings.FRESHLINE_EGRESS_ALLOW)
    attempts = 0
    for number in list(_due(now=now).values_list("pk", flat=True)[:limit]):
        delivery = _lease(number, now=now)
        if delivery is None:
            continue
        attempts += 1
        sent = _post(delivery, way_out)
        now += sent.elapsed
        state = _settle(delivery, sent.answer, now=now, jitter=jitter())
        # In transactions of their own: they take the lock of another project perhaps, and no two at once.
        if state is OutboxState.SENT:
            failover.mend(delivery.channel, now=now)
        elif state in _GIVEN_UP:
            failover.open_meta(delivery.channel, delivery.row.incident, reason=sent.answer.reason, now=now)
    return attempts


def _post(delivery: Delivery, way_out: Egress) -> Sent:
    channel = delivery.channel
    try:
        config = unsealed_config(channel)
    except Unavailable as unreadable:
        return Sent(Answer(Outcome.PERMANENT, unreadable.detail), timedelta(0))
    return send(ChannelKind(channel.kind), config, delivery.row.body or {}, egress=way_out)


def _due(*, now: datetime) -> QuerySet[Notification]:
    earlier = Notification.objects.filter(
        incident=OuterRef("incident"),
        channel=OuterRef("channel"),
        sequence__lt=OuterRef("sequence"),
        state__in=WAITING,
    )
    ready = Q(state__in=[OutboxState.PENDING, OutboxState.MUTED], due_at__lte=now)
    abandoned = Q(state=OutboxState.LEASED, lease_until__lt=now)
    free = Q(channel__free_at=None) | Q(channel__free_at__lte=now)
    return Notification.objects.filter(ready | abandoned, free).exclude(Exists(earlier)).order_by("pk")


@transaction.atomic
def _lease(number: int, *, now: datetime) -> Delivery | None:
    row = _due(now=now).select_related("incident", "channel").filter(pk=number).first()
    if row is None or _is_put_aside(row, now=now):
        return None
    held_until = now + LEASE
    free = Channel.objects.filter(Q(free_at=None) | Q(free_at__lte=now), pk=row.channel_id)
    if not free.update(free_at=held_until):
        return None
    mine = Notification.objects.filter(pk=row.pk, state=row.state, fence=row.fence)
    body = row.body if row.body is not None else _render(row, now=now)
    taken = mine.update(
        state=OutboxState.LEASED,
        lease_until=held_until,
        fence=F("fence") + 1,
        attempts=F("attempts") + 1,
        body=body,
    )
    if not taken:
        Channel.objects.filter(pk=row.channel_id, free_at=held_until).update(free_at=now)
        return None
    row.refresh_from_db()
    return Delivery(row, row.fence, row.channel, held_until)


def _is_put_aside(row: Notification, *, now: datetime) -> bool:
    """Whether the row is not to be sent (now): judged before its first attempt, never after."""
    if row.attempts > 0 or row.action not in MAY_BE_MUTED:
        return False
    incident = row.incident
    same = Notification.objects.filter(pk=row.pk, fence=row.fence, attempts=0)
    is_over = incident.state == IncidentState.RESOLVED
    if (is_over and row.action in _NEWS) or (row.action == Action.TRIGGER and incident.parent_id is not None):
        same.update(state=OutboxState.SUPERSEDED)
        return True
    until = muted_until(incident, at=now)
    if until is None:
        return False
    if not is_over:
        same.update(state=OutboxState.MUTED, due_at=until)
    elif same.update(state=OutboxState.SUPERSEDED):
        # A fallback that takes over late, of something that is over and was silenced: it hears nothing.
        later = Notification.objects.filter(incident=incident, channel=row.channel, attempts=0)
        later.filter(sequence__gt=row.sequence, state__in=WAITING).update(state=OutboxState.SUPERSEDED)
    return True


def _render(row: Notification, *, now: datetime) -> dict[str, object]:
    story = tell_story(row.incident, Action(row.action), note=row.note, now=now)
    return CHANNELS[ChannelKind(row.channel.kind)].render(story, row.is_plain)


@transaction.atomic
def _settle(delivery: Delivery, answer: Answer, *, now: datetime, jitter: float) -> OutboxState | None:
    """Commit what came of the attempt; None when the row is no longer ours."""
    row, channel = delivery.row, delivery.channel
    lock_project(row.incident.project)  # before any row: transitions take them in this order too
    attempted = Attempted(
        attempts=row.attempts,
        created_at=row.created_at,
        is_plain=row.is_plain,
        has_fallback=channel.fallback_id is not None and row.action in failover.MAY_FAIL_OVER,
    )
    following = notifications.after_attempt(attempted, answer, now=now, random=jitter)
    _free_channel(delivery, following, now=now)
    is_sent = following.state is OutboxState.SENT
    kept = Notification.objects.filter(pk=row.pk, fence=delivery.fence, state=OutboxState.LEASED).update(
        state=following.state,
        lease_until=None,
        due_at=following.due_at or row.due_at,
        sent_at=now if is_sent else None,
        error="" if is_sent else answer.reason[:300],
        **({"is_plain": True, "body": None} if following.is_plain and not row.is_plain else {}),
    )
    if not kept:
        return None  # the lease ran out and somebody else goes on with the row
    row.refresh_from_db()
    if is_sent:
        Channel.objects.filter(pk=channel.pk).update(last_sent_at=now, last_error="", broken_at=None)
        tell(row.incident, "sent", f"{row.action} to {channel.name}", now=now)
    elif following.state in _GIVEN_UP:
        tell(row.incident, "not_sent", f"{row.action} to {channel.name}: {answer.reason}", now=now)
        failover.give_up(row, reason=answer.reason, now=now)
    elif answer.outcome is Outcome.RETRY:
        _tell_of_delay(row, channel, reason=answer.reason, now=now)
    return following.state


def _tell_of_delay(row: Notification, channel: Channel, *, reason: str, now: datetime) -> None:
    """Show on the channel that it fails now; the incident's story hears of the first try, not of hundreds."""
    Channel.objects.filter(pk=channel.pk).update(last_error=f"{reason}, tries again"[:300])
    if row.attempts == 1:
        tell(row.incident, "not_sent", f"{row.action} to {channel.name}: {reason}, tries again", now=now)


def _free_channel(delivery: Delivery, following: Next, *, now: datetime) -> None:
    held = Channel.objects.filter(pk=delivery.channel.pk, free_at=delivery.held_until)
    held.update(free_at=now + CHANNELS[ChannelKind(delivery.channel.kind)].spacing)
    if following.channel_free_at is not None:
        sooner = Channel.objects.filter(pk=delivery.channel.pk, free_at__lt=following.channel_free_at)
        sooner.update(free_at=following.channel_free_at)
