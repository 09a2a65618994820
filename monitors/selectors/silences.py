"""Silences as the caller may know of them."""

from collections.abc import Iterable

from django.db.models import QuerySet

from monitors.models import Silence


def silences_for(projects: Iterable[str] | None) -> QuerySet[Silence]:
    """Return the silences of the installation and of ``projects`` (None: all)."""
    rows = Silence.objects.all()
    return rows if projects is None else rows.filter(project__in=["", *projects])
