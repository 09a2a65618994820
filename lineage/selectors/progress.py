"""How far the projection is, for health pages and the monitors' asking again."""

from datetime import datetime

from django.db.models import Max

from lineage.models import RawEvent


def pending_events() -> int:
    """Return how many stored events are not yet in the graph."""
    return RawEvent.objects.filter(projected_at=None).count()


def last_event_at() -> datetime | None:
    """Return when the newest projected event entered the graph."""
    last: datetime | None = RawEvent.objects.aggregate(last=Max("projected_at"))["last"]
    return last
