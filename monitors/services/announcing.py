"""What a transition writes into the outbox. Called inside the transition's own transaction."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F

from monitors.channels.kinds import CHANNELS
from monitors.domain import notifications, routing
from monitors.domain.incidents import Severity
from monitors.domain.notifications import Action, OutboxState, Told
from monitors.domain.routing import PURPOSES, ChannelKind, Purpose
from monitors.models import Channel, Incident, Notification
from monitors.selectors.channels import default_channels


def announce_trigger(incident: Incident, *, now: datetime, exclude: Iterable[int] = ()) -> None:
    """Tell everybody who hears of this incident and was not told yet (in this round)."""
    told = {one.channel for one in _told(incident)} if incident.sequence else set()
    wanted = _recipients(incident, Severity(incident.severity))
    _enqueue(incident, Action.TRIGGER, [c for c in wanted if c not in told | set(exclude)], now=now)


def announce_again(incident: Incident, *, now: datetime) -> None:
    """Trigger anew after a reopening: to everybody, on the same key."""
    wanted = _recipients(incident, Severity(incident.severity))
    _enqueue(incident, Action.TRIGGER, wanted, now=now)


def announce_change(incident: Incident, action: Action, *, now: datetime, note: str = "") -> None:
    """Send an acknowledge or an update to exactly the channels that were told of the incident."""
    _enqueue(incident, action, notifications.followers(_told(incident)), now=now, note=note)


def announce_end(incident: Incident, *, now: datetime, note: str) -> None:
    """Send the resolve; withdraw what was never attempted."""
    for ending in notifications.endings(_told(incident)):
        action = ending.send
        if ending.withdraw_trigger and not _withdraw(incident, ending.channel):
            action = Action.RESOLVE  # an attempt began in between: the receiver may have it
        if action is not None:
            _enqueue(incident, action, [ending.channel], now=now, note=note)


def announce_link(child: Incident, root: Incident, *, now: datetime) -> None:
    """Tell the owner of a child, once for each chat that does not hear of the root anyway."""
    family = Incident.objects.filter(parent=root).values("pk")
    heard = set(Notification.objects.filter(incident__in=family).values_list("channel", flat=True))
    heard |= set(Notification.objects.filter(incident=root).values_list("channel", flat=True))
    heard |= set(_recipients(root, Severity(root.severity)))
    wanted = [c for c in _recipients(child, Severity.INFO) if c not in heard]
    _enqueue(child, Action.LINKED, wanted, now=now)


def was_announced(incident: Incident) -> bool:
    """Whether anybody was told of the incident, or is about to be."""
    return bool(notifications.followers(_told(incident)))


def _recipients(incident: Incident, severity: Severity) -> tuple[int, ...]:
    return routing.recipients(
        default_channels(), owner=incident.owner, project=incident.project, severity=severity
    )


def _told(incident: Incident) -> list[Told]:
    last: dict[int, Told] = {}
    rows = Notification.objects.filter(incident=incident, action=Action.TRIGGER).select_related("channel")
    for row in rows.order_by("sequence"):
        last[row.channel_id] = Told(
            channel=row.channel_id,
            purpose=PURPOSES.get(ChannelKind(row.channel.kind), Purpose.CHAT),
            trigger_state=OutboxState(row.state),
            attempted=row.attempts > 0,
        )
    return list(last.values())


def _withdraw(incident: Incident, channel: int) -> bool:
    waiting = Notification.objects.filter(
        incident=incident,
        channel=channel,
        attempts=0,
        state__in=[OutboxState.PENDING, OutboxState.MUTED],
    )
    waiting.exclude(action=Action.TRIGGER).update(state=OutboxState.SUPERSEDED)
    return bool(waiting.filter(action=Action.TRIGGER).update(state=OutboxState.SUPERSEDED))


def _enqueue(
    incident: Incident, action: Action, channels: Iterable[int], *, now: datetime, note: str = ""
) -> None:
    found = Channel.objects.filter(pk__in=list(channels))
    speaking = [c for c in found if CHANNELS[ChannelKind(c.kind)].speaks(action)]
    if not speaking:
        return
    Incident.objects.filter(pk=incident.pk).update(sequence=F("sequence") + 1)
    incident.refresh_from_db(fields=["sequence"])
    Notification.objects.bulk_create(
        Notification(
            incident=incident,
            channel=channel,
            sequence=incident.sequence,
            action=action,
            note=note[:500],
            created_at=now,
            due_at=now,
        )
        for channel in speaking
    )
