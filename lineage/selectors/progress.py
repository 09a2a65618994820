"""How far the projection is, for health pages and the monitors' asking again."""

from datetime import datetime, timedelta

from django.db.models import Max

from lineage.models import PROJECTION, ProjectionLock, RawEvent

# Somebody looks for events every second; after so long nobody knows what the last run of a job was.
PATIENCE = timedelta(seconds=10)


def is_silent(*, now: datetime) -> bool:
    """Whether nobody has lately brought events into the graph: it shows the past then."""
    looks = ProjectionLock.objects.filter(name=PROJECTION, looked_at__gte=now - PATIENCE)
    return not looks.exists()


def pending_events() -> int:
    """Return how many stored events are not yet in the graph."""
    return RawEvent.objects.filter(projected_at=None).count()


def last_event_at() -> datetime | None:
    """Return when the newest projected event entered the graph."""
    last: datetime | None = RawEvent.objects.aggregate(last=Max("projected_at"))["last"]
    return last
