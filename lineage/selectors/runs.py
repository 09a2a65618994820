"""Runs as their events tell."""

from collections.abc import Iterable, Sequence

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from lineage.models import Run
from lineage.selectors.progress import last_look


def newest_runs(jobs: Sequence[int], *, most: int) -> list[Run]:
    """Return the last runs of each job, at most so many, the newest first."""
    rows = _newest(Run.objects.filter(job__in=jobs), most=most)
    return sorted(rows, key=lambda run: (run.first_at, run.pk), reverse=True)


def last_runs_of(digests: Iterable[str]) -> dict[str, Run]:
    """Return the newest run of each job, by the digest of the job's id."""
    rows = Run.objects.filter(job__digest__in=list(digests)).select_related("job")
    return {row.job.digest: row for row in _newest(rows, most=1)}


def _newest(rows: QuerySet[Run], *, most: int) -> QuerySet[Run]:
    """Return them each with ``looked_at``: when anybody last looked for newer ones."""
    newest = Window(RowNumber(), partition_by=F("job_id"), order_by=[F("first_at").desc(), F("id").desc()])
    return rows.annotate(position=newest, looked_at=last_look()).filter(position__lte=most)
