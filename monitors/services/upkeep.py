"""What goes round slowly: following the registry, noticing blind monitors, forgetting what is old."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from monitors.domain.incidents import Family, IncidentState, Severity, fingerprint
from monitors.domain.notifications import UNFINISHED
from monitors.domain.states import State
from monitors.models import OPEN, Evaluation, Incident, Monitor, Notification
from monitors.services import announcing, closing, watching
from monitors.services.failover import META_KIND
from monitors.services.locks import lock_project
from monitors.services.timeline import tell

# More unknown monitors than this are one problem, not many.
UNKNOWN_SHARE = 0.2
# One probe that failed is no incident.
UNKNOWN_FOR = timedelta(minutes=1)
UNKNOWN_SUBJECT = "meta:monitors"
SWEPT_AT_ONCE = 5_000


def keep_in_step(*, now: datetime) -> int:
    """Watch what the registry holds; returns how many views changed."""
    changed = watching.sync_views(now=now)
    _judge_unknown(now=now)
    return changed


def sweep(*, now: datetime) -> int:
    """Delete evaluations and finished notifications past their retention, in small batches."""
    evaluation_retention: timedelta = settings.FRESHLINE_EVALUATION_RETENTION
    notification_retention: timedelta = settings.FRESHLINE_NOTIFICATION_RETENTION
    old = Evaluation.objects.filter(at__lt=now - evaluation_retention).values("pk")[:SWEPT_AT_ONCE]
    swept = Evaluation.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()[0]
    finished = Notification.objects.filter(
        created_at__lt=now - notification_retention, incident__state=IncidentState.RESOLVED
    ).exclude(state__in=[state.value for state in UNFINISHED])
    numbers = list(finished.values_list("pk", flat=True)[:SWEPT_AT_ONCE])
    return swept + Notification.objects.filter(pk__in=numbers).delete()[0]


def _judge_unknown(*, now: datetime) -> None:
    """Open or close each project's one incident that stands for monitors which see nothing."""
    counted = Monitor.objects.filter(paused=False).exclude(state=State.BREACH).values("project").order_by()
    unknown = Count("pk", filter=Q(state=State.UNKNOWN, since__lte=now - UNKNOWN_FOR))
    for row in counted.annotate(total=Count("pk"), unknown=unknown):
        many = row["unknown"] > UNKNOWN_SHARE * row["total"]
        (_open_meta if many else _close_meta)(row["project"], row["unknown"], row["total"], now=now)


@transaction.atomic
def _open_meta(project: str, unknown: int, total: int, *, now: datetime) -> None:
    lock_project(project)
    mark = fingerprint(project=project, subject=UNKNOWN_SUBJECT, family=Family.META)
    if Incident.objects.filter(fingerprint=mark, state__in=OPEN).exists():
        return
    incident = Incident.objects.create(
        project=project,
        fingerprint=mark,
        dedup_key=f"freshline-{uuid.uuid4().hex}",
        subject=UNKNOWN_SUBJECT,
        family=Family.META.value,
        kind=META_KIND,
        severity=Severity.INFO.value,
        summary=f"{unknown} of {total} monitors cannot see what they watch",
        opened_at=now,
        bad_since=now,
    )
    tell(incident, "opened", incident.summary, now=now)
    announcing.announce_trigger(incident, now=now)


@transaction.atomic
def _close_meta(project: str, unknown: int, total: int, *, now: datetime) -> None:
    mark = fingerprint(project=project, subject=UNKNOWN_SUBJECT, family=Family.META)
    incident = Incident.objects.filter(fingerprint=mark, state__in=OPEN).first()
    if incident is not None:
        lock_project(project)
        closing.close(incident, f"{total - unknown} of {total} monitors see again", now=now)
