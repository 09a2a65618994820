"""Silences: making and ending them, and whether one holds back a message."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from controlplane.accounts.services import audit
from controlplane.kernel.errors import NotFound, Refused
from controlplane.kernel.text import visible
from monitors.domain import silences
from monitors.domain.notifications import OutboxState
from monitors.models import Incident, Notification, Silence
from monitors.selectors.silences import labels_of, silences_at
from monitors.selectors.stored import silence_of

MAX_REASON = 500


@transaction.atomic
def create_silence(
    *,
    matchers: Sequence[Mapping[str, object]],
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    actor: str,
    now: datetime,
    address: str = "",
) -> Silence:
    """Silence what matches; a silence of one project names it by ``project = ...``."""
    parsed = silences.parse(matchers, starts_at=starts_at, ends_at=ends_at, now=now)
    reason = visible(reason)
    if not 0 < len(reason) <= MAX_REASON:
        raise Refused("bad_value", f"reason: write 1 to {MAX_REASON} characters")
    row = Silence.objects.create(
        project=project_of(matchers),
        matchers=[{"label": m.label, "op": m.op.value, "value": m.value} for m in parsed.matchers],
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        author=actor[:120],
        created_at=now,
    )
    _audit(row, "create", actor=actor, now=now, address=address)
    return row


@transaction.atomic
def end_silence(silence_id: int, *, actor: str, now: datetime, address: str = "") -> None:
    """End a silence at once; what it held back is judged again now."""
    row = find(silence_id)
    if row.ends_at > now:
        Silence.objects.filter(pk=row.pk).update(ends_at=now)
        Notification.objects.filter(state=OutboxState.MUTED).update(due_at=now)
        _audit(row, "end", actor=actor, now=now, address=address)


def find(silence_id: int) -> Silence:
    """Return a silence; ``NotFound`` when there is none."""
    row = Silence.objects.filter(pk=silence_id).first()
    if row is None:
        raise NotFound("not_found", f"There is no silence {silence_id}, or you may not know of it.")
    return row


def project_of(matchers: Sequence[Mapping[str, object]]) -> str:
    """Return the one project that the matchers are about, or "" when they may span several."""
    named = [m.get("value") for m in matchers if m.get("label") == "project" and m.get("op", "=") == "="]
    return str(named[0]) if named else ""


def muted_until(incident: Incident, *, at: datetime) -> datetime | None:
    """Return until when nothing is sent about the incident, None when nothing holds it back."""
    return silences.muted_until([silence_of(row) for row in silences_at(at)], labels_of(incident), at=at)


def _audit(row: Silence, action: str, *, actor: str, now: datetime, address: str) -> None:
    audit.record(
        actor=actor,
        project=row.project,
        action=action,
        object_kind="silence",
        object_name=str(row.pk),
        after={"matchers": row.matchers, "ends_at": row.ends_at.isoformat(), "reason": row.reason},
        now=now,
        address=address,
    )
