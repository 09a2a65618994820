"""Drop raw events that are past their retention; the graph stays."""

from datetime import datetime, timedelta

from lineage.models import RawEvent

BATCH = 1_000


def sweep_events(*, now: datetime, retention: timedelta) -> int:
    """Delete up to one small batch of projected events older than ``retention``; returns how many."""
    old = RawEvent.objects.filter(received_at__lt=now - retention).exclude(projected_at=None)
    ids = list(old.order_by("received_at").values_list("pk", flat=True)[:BATCH])
    return RawEvent.objects.filter(pk__in=ids).delete()[0]
