"""The append-only story of an incident."""

from datetime import datetime

from monitors.models import Incident, TimelineEntry

MAX_TEXT = 1_000


def tell(incident: Incident, kind: str, text: str, *, now: datetime, actor: str = "") -> None:
    """Add one entry."""
    TimelineEntry.objects.create(
        incident=incident, at=now, kind=kind, text=text[:MAX_TEXT], actor=actor[:120]
    )
