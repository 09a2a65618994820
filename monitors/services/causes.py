"""Asking lineage what explains an incident, when it opens and again while it is open."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from lineage.domain import naming
from lineage.selectors import find_causes
from monitors.domain import folding
from monitors.domain.folding import Cause, CauseKind, Confidence
from monitors.domain.incidents import Family
from monitors.domain.notifications import Action
from monitors.models import OPEN, Incident
from monitors.services import announcing
from monitors.services.fold_rows import cause_document, cause_line, open_records, place_under
from monitors.services.locks import lock_project
from monitors.services.timeline import tell

ASK_AGAIN = timedelta(seconds=5)
ASKED_AT_ONCE = 50


def causes_of(
    *, project: str, view: str, family: Family, as_of: datetime | None, bad_since: datetime
) -> list[Cause]:
    """Return what explains a breach of a view; nothing for a family that lineage knows no causes of."""
    if not view or not folding.EXPLAINED_BY[family] & set(CauseKind):
        return []
    found = find_causes(naming.view(project, view).id, as_of=as_of, bad_since=bad_since)
    return [
        Cause(
            node=cause.node_id,
            kind=CauseKind(cause.kind.value),
            run=cause.run_id,
            reason=cause.reason,
            confidence=Confidence(cause.confidence.value),
            since=cause.since,
            hops=cause.depth,
            path=cause.path,
        )
        for cause in found
    ]


def reconsider(*, now: datetime) -> int:
    """Ask again for open roots without a sure cause; merge what belongs together. Returns how many."""
    due = Incident.objects.filter(state__in=OPEN, parent=None, cause_due_at__lte=now)
    rows = list(due.exclude(family=Family.META.value).order_by("cause_due_at")[:ASKED_AT_ONCE])
    for project in sorted({row.project for row in rows}):
        _reconsider_project(project, [row for row in rows if row.project == project], now=now)
    return len(rows)


def page_the_lonely(*, now: datetime) -> int:
    """Notify former children whose grace is over and that found no other cause; returns how many."""
    due = list(Incident.objects.filter(state__in=OPEN, parent=None, alone_at__lte=now)[:ASKED_AT_ONCE])
    for row in due:
        with transaction.atomic():
            lock_project(row.project)
            alone = Incident.objects.filter(pk=row.pk, state__in=OPEN, parent=None, alone_at__lte=now)
            if alone.update(alone_at=None):
                announcing.announce_again(Incident.objects.get(pk=row.pk), now=now)
    return len(due)


def _reconsider_project(project: str, rows: Iterable[Incident], *, now: datetime) -> None:
    # The walks through the graph are reads and may take a while: not under the lock.
    found = {row.pk: _ask(row) for row in rows}
    with transaction.atomic():
        lock_project(project)
        for number, cause_and_others in found.items():
            incident = Incident.objects.filter(pk=number, state__in=OPEN, parent=None).first()
            if incident is not None:
                _learn(incident, *cause_and_others, now=now)
        for merge in folding.merges(open_records(project)):
            _merge(Incident.objects.get(pk=merge.younger), Incident.objects.get(pk=merge.elder), now=now)


def _ask(row: Incident) -> tuple[Cause | None, tuple[Cause, ...]]:
    family = Family(row.family)
    causes = causes_of(
        project=row.project, view=row.view, family=family, as_of=row.as_of, bad_since=row.bad_since
    )
    return folding.choose(causes, family=family)


def _learn(incident: Incident, cause: Cause | None, others: tuple[Cause, ...], *, now: datetime) -> None:
    """A sure cause, once known, stays: what a recovery hides again was still the cause."""
    is_sure = bool(incident.cause_node) or (cause is not None and cause.confidence is Confidence.HIGH)
    incident.cause_due_at = None if is_sure else now + ASK_AGAIN
    if incident.cause_node or cause is None:
        incident.save(update_fields=["cause_due_at"])
        return
    before = incident.cause or {}
    document = cause_document(cause)
    assert document is not None
    incident.cause = document
    incident.other_causes = [cause_document(other) for other in others]
    if cause.confidence is Confidence.HIGH:
        incident.cause_node = cause.node
        incident.kind = cause.kind.value
    incident.save(update_fields=["cause_due_at", "cause", "other_causes", "cause_node", "kind"])
    is_new = (before.get("node"), before.get("run")) != (cause.node, cause.run)
    if is_new or cause.confidence is Confidence.HIGH:
        tell(incident, "cause", cause_line(document), now=now)
    if cause.confidence is Confidence.HIGH:
        announcing.announce_change(incident, Action.UPDATE, now=now)


def _merge(younger: Incident, elder: Incident, *, now: datetime) -> None:
    note = f"merged into INC-{elder.number}"
    announcing.announce_end(younger, now=now, note=note)
    tell(younger, "merged", note, now=now)
    place_under(elder, younger, now=now)
