"""How far the projection is, for health pages and the monitors' asking again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Func, QuerySet, Subquery

from lineage.models import PROJECTION, ProjectionLock, RawEvent

# Somebody looks for events every second; after so long nobody knows what the last run of a job was.
PATIENCE = timedelta(seconds=10)


def last_look() -> Subquery:
    """Return when somebody last looked for events, to be read together with what is judged by it."""
    return Subquery(ProjectionLock.objects.filter(name=PROJECTION).values("looked_at")[:1])


def is_silent(looked_at: datetime | None, *, now: datetime) -> bool:
    """Whether nobody has lately brought events into the graph: it shows the past then."""
    return looked_at is None or looked_at < now - PATIENCE


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the graph is behind what was received, and how many events found no place in it."""

    pending: int
    oldest_pending_at: datetime | None
    misplaced: int
    last_event_at: datetime | None  # when the newest of the graph's events entered it


def read_progress(*, since: datetime) -> Progress:
    """Return how the projection does, in one query; ``misplaced`` counts what came from ``since`` on."""
    pending = RawEvent.objects.filter(projected_at=None)
    misplaced = RawEvent.objects.filter(received_at__gte=since).exclude(error="")
    newest = RawEvent.objects.exclude(projected_at=None).order_by("-id")
    found = (
        ProjectionLock.objects.annotate(
            pending=Subquery(_counted(pending)),
            oldest_at=Subquery(pending.order_by("id").values("received_at")[:1]),
            misplaced=Subquery(_counted(misplaced)),
            last_at=Subquery(newest.values("projected_at")[:1]),
        )
        .values_list("pending", "oldest_at", "misplaced", "last_at")
        .first()
    )
    if found is None:  # nobody ever looked: all there is waits
        first = pending.order_by("id").first()
        return Progress(pending.count(), first.received_at if first else None, 0, None)
    return Progress(found[0] or 0, found[1], found[2] or 0, found[3])


def _counted(rows: QuerySet[RawEvent]) -> QuerySet[Any, Any]:
    # Without an order there is nothing to group by, so that the whole is one row.
    return rows.order_by().annotate(count=Func("pk", function="COUNT")).values("count")
