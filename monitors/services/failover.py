"""What a channel that refuses for good means: its fallback takes over, and somebody is told."""

import uuid
from datetime import datetime

from django.db import transaction

from monitors.domain.incidents import Family, IncidentState, Severity, fingerprint
from monitors.domain.notifications import UNFINISHED, Action, OutboxState
from monitors.models import OPEN, Channel, Incident, Notification
from monitors.services import announcing, closing
from monitors.services.locks import lock_project
from monitors.services.timeline import tell

MAY_FAIL_OVER = frozenset({Action.TRIGGER, Action.BRIEF})
META_KIND = "meta"
WAITING = [state.value for state in UNFINISHED]


def give_up(row: Notification, *, reason: str, now: datetime) -> None:
    """Deal with a row that will never be sent on its channel."""
    channel = row.channel
    Channel.objects.filter(pk=channel.pk).update(broken_at=now, last_error=reason[:300])
    if row.action in MAY_FAIL_OVER:
        later = Notification.objects.filter(
            incident=row.incident, channel=channel, sequence__gt=row.sequence, state__in=WAITING
        )
        if row.state == OutboxState.FAILED_OVER:
            _hand_over([row, *later.order_by("sequence")], now=now)
        later.update(state=OutboxState.SUPERSEDED)


@transaction.atomic
def mend(channel: Channel, *, now: datetime) -> None:
    """Close the channel's meta incident, if there is one: something was delivered."""
    subject = _subject(channel)
    for incident in Incident.objects.filter(subject=subject, state__in=OPEN, family=Family.META.value):
        lock_project(incident.project)
        closing.close(incident, f"channel {channel.name} delivers again", now=now)


def _hand_over(rows: list[Notification], *, now: datetime) -> None:
    """Give the trigger, and what was to follow it, to the fallback: unless it was told of this anyway."""
    fallback = rows[0].channel.fallback
    if fallback is None or Notification.objects.filter(incident=rows[0].incident, channel=fallback).exists():
        return
    Notification.objects.bulk_create(
        Notification(
            incident=row.incident,
            channel=fallback,
            sequence=row.sequence,
            action=row.action,
            note=row.note,
            created_at=row.created_at,
            due_at=now,
        )
        for row in rows
    )


@transaction.atomic
def open_meta(channel: Channel, about: Incident, *, reason: str, now: datetime) -> None:
    """Open one incident for the channel; it is told everywhere but there."""
    subject = _subject(channel)
    project = channel.project or about.project
    if about.subject == subject or Incident.objects.filter(subject=subject, state__in=OPEN).exists():
        return
    lock_project(project)
    incident, made = Incident.objects.get_or_create(
        fingerprint=fingerprint(project=project, subject=subject, family=Family.META),
        state__in=OPEN,
        defaults={
            "state": IncidentState.OPEN.value,
            "project": project,
            "dedup_key": f"freshline-{uuid.uuid4().hex}",
            "subject": subject,
            "family": Family.META.value,
            "kind": META_KIND,
            "severity": Severity.INFO.value,
            "owner": about.owner,
            "summary": f"channel {channel.name} refuses messages for good: {reason}"[:500],
            "opened_at": now,
            "bad_since": now,
        },
    )
    if made:
        tell(incident, "opened", incident.summary, now=now)
        announcing.announce_trigger(incident, now=now, exclude=[channel.pk])


def _subject(channel: Channel) -> str:
    return f"meta:channel {channel.name}"
