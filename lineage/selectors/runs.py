"""Runs as their events tell."""

from collections.abc import Sequence

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from lineage.models import Run


def last_runs(jobs: Sequence[int]) -> dict[int, Run]:
    """Return the newest run of each job."""
    newest = Window(RowNumber(), partition_by=F("job_id"), order_by=[F("first_at").desc(), F("id").desc()])
    rows = Run.objects.filter(job__in=jobs).annotate(position=newest).filter(position=1)
    return {row.job_id: row for row in rows}
