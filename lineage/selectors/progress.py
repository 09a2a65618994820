"""How far the projection is, for health pages and the monitors' asking again."""

from datetime import datetime, timedelta

from django.db.models import Max, Min, Subquery

from lineage.models import PROJECTION, ProjectionLock, RawEvent

# Somebody looks for events every second; after so long nobody knows what the last run of a job was.
PATIENCE = timedelta(seconds=10)


def last_look() -> Subquery:
    """Return when somebody last looked for events, to be read together with what is judged by it."""
    return Subquery(ProjectionLock.objects.filter(name=PROJECTION).values("looked_at")[:1])


def is_silent(looked_at: datetime | None, *, now: datetime) -> bool:
    """Whether nobody has lately brought events into the graph: it shows the past then."""
    return looked_at is None or looked_at < now - PATIENCE


def pending_events() -> int:
    """Return how many stored events are not yet in the graph."""
    return RawEvent.objects.filter(projected_at=None).count()


def oldest_pending_at() -> datetime | None:
    """Return since when the oldest event that is not yet in the graph waits; None when none does."""
    oldest: datetime | None = RawEvent.objects.filter(projected_at=None).aggregate(at=Min("received_at"))[
        "at"
    ]
    return oldest


def misplaced_events(*, since: datetime) -> int:
    """Return how many of the events that came since then could not be placed in the graph."""
    return RawEvent.objects.filter(received_at__gte=since).exclude(error="").count()


def last_event_at() -> datetime | None:
    """Return when the newest projected event entered the graph."""
    last: datetime | None = RawEvent.objects.aggregate(last=Max("projected_at"))["last"]
    return last
