"""Runs as their events tell."""

from collections.abc import Iterable, Sequence

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from lineage.models import Run


def last_runs(jobs: Sequence[int]) -> dict[int, Run]:
    """Return the newest run of each job."""
    return {row.job_id: row for row in _newest(Run.objects.filter(job__in=jobs))}


def last_runs_of(digests: Iterable[str]) -> dict[str, Run]:
    """Return the newest run of each job, by the digest of the job's id."""
    rows = Run.objects.filter(job__digest__in=list(digests)).select_related("job")
    return {row.job.digest: row for row in _newest(rows)}


def _newest(rows: QuerySet[Run]) -> QuerySet[Run]:
    newest = Window(RowNumber(), partition_by=F("job_id"), order_by=[F("first_at").desc(), F("id").desc()])
    return rows.annotate(position=newest).filter(position=1)
