"""Monitors as rows, for lists."""

from django.db.models import QuerySet

from monitors.models import Monitor


def monitors_of(project: str, *, view: str | None = None) -> QuerySet[Monitor]:
    """Return the monitors of a project, or of one view."""
    rows = Monitor.objects.filter(project=project)
    return rows if view is None else rows.filter(view=view)
