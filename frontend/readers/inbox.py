"""The inbox of a project."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from controlplane.accounts.auth import Principal
from controlplane.registry import selectors as registry
from frontend.readers.incident_words import OUTBOX, title_of
from frontend.records.incidents import Delivery, InboxPage, IncidentRow
from monitors.domain.causes import cause_phrase, may_know
from monitors.selectors.inbox import TABS, Inbox, Problem, Wanted, read_inbox, watching


def read_inbox_page(project: str, principal: Principal, wanted: Wanted, *, now: datetime) -> InboxPage:
    """Return one tab of the project's incidents."""
    found = read_inbox(project, wanted, now=now)
    proof = None if found.problems else watching(project)
    return InboxPage(
        project=project,
        tab=wanted.tab,
        counts=tuple((tab, found.counts[tab]) for tab in TABS),
        rows=_rows(project, found, readable=principal.readable_projects()),
        monitored=proof.views if proof else 0,
        last_probe_at=proof.probed_at if proof else None,
        after=f"{found.after.rank}-{-found.after.minus_number}" if found.after else "",
        severity=wanted.severity,
        owner=wanted.owner,
        owners=found.owners,
    )


def _rows(project: str, found: Inbox, *, readable: Collection[str] | None) -> tuple[IncidentRow, ...]:
    views = {view for problem in found.problems for view in problem.views}
    reading = registry.services_reading_each(project, views) if views else {}
    return tuple(_row(problem, reading, readable) for problem in found.problems)


def _row(
    problem: Problem,
    reading: Mapping[str, Sequence[registry.ServiceRecord]],
    readable: Collection[str] | None,
) -> IncidentRow:
    row = problem.incident
    readers = {
        reader.name: reader
        for hit in problem.hits
        for reader in reading.get(hit.view, ())
        if hit.service in ("", reader.name)
    }
    models = {reader.service.model for reader in readers.values() if reader.service.model}
    return IncidentRow(
        number=row.number,
        title=title_of(row.family, row.view, problem.views, row.summary, service=row.service),
        severity=row.severity,
        state="silenced" if problem.silence else row.state,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
        cause=cause_phrase(row.cause) if may_know(row.cause, readable) else "",
        views=len(problem.views),
        consumers=len(readers) + len(models),
        owner=row.owner,
        acknowledged_by=row.acknowledged_by,
        silenced_until=problem.silence.ends_at if problem.silence else None,
        deliveries=tuple(Delivery(each.channel.name, OUTBOX[each.state]) for each in problem.notifications),
    )
