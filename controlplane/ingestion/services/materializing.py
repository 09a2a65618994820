"""What Feast calls materializing: a batch run of each view, waited for.

Feast's window of time is not needed: a run compares the whole source and writes what changed.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from threading import BoundedSemaphore

from controlplane.ingestion.domain.runs import UNFINISHED, RunState
from controlplane.ingestion.models import IngestionRun
from controlplane.ingestion.services import asking
from controlplane.ingestion.services.asking import Asker
from controlplane.ingestion.services.store import refuse_read_only
from controlplane.kernel.errors import Refused
from controlplane.registry import selectors as registry
from controlplane.registry.domain.records import ViewRecord
from store_adapters import Lane

MAX_WAITERS = 4
_PLACES = BoundedSemaphore(MAX_WAITERS)
_WAITS = frozenset({RunState.QUEUED, RunState.RUNNING})


def find_views(project: str, names: Sequence[str] | None) -> list[ViewRecord]:
    """Return the views of those names, or all that have a batch lane."""
    if names is None:
        found = [record for record in registry.list_views(project) if record.view.batch is not None]
    else:
        found = [registry.find_view(project, name) for name in dict.fromkeys(names)]
    for record in found:
        if record.view.batch is None:
            raise Refused("lane_not_declared", f"feature view {record.name!r} has no batch lane")
        refuse_read_only(record.store)
    return found


def under_way(records: Sequence[ViewRecord]) -> list[str]:
    """Return the names of the views of which a batch run is queued, running or held."""
    unfinished = IngestionRun.objects.filter(
        view_id__in=[record.id for record in records], lane=Lane.BATCH, state__in=UNFINISHED
    )
    busy = set(unfinished.values_list("view_id", flat=True))
    return [record.name for record in records if record.id in busy]


def queue_runs(records: Sequence[ViewRecord], *, asker: Asker, now: datetime) -> list[int]:
    """Queue a batch run of each view; returns their numbers. One that is queued already is that run."""
    return [
        asking.ask_run(record.project, record.name, full=False, asker=asker, now=now).pk for record in records
    ]


def await_ends(runs: Sequence[int], *, looks: int, pause: Callable[[], object]) -> list[IngestionRun]:
    """Return the runs as soon as none of them is queued or at work, at the latest after so many looks.

    The looks are counted, not timed: a clock that stands still or jumps makes nobody wait for ever. Only a
    few callers of a process wait, each on a thread of its web server; whoever finds no place looks once.
    """
    has_place = _PLACES.acquire(blocking=False)
    try:
        return _look(runs, looks=max(looks, 1) if has_place else 1, pause=pause)
    finally:
        if has_place:
            _PLACES.release()


def _look(runs: Sequence[int], *, looks: int, pause: Callable[[], object]) -> list[IngestionRun]:
    found: list[IngestionRun] = []
    for look in range(looks):
        if look:
            pause()
        found = list(IngestionRun.objects.filter(pk__in=runs).order_by("pk"))
        if not any(run.state in _WAITS for run in found):
            break
    return found


def still_at_work(runs: Sequence[IngestionRun]) -> list[str]:
    """Return the views whose runs have not come to an end."""
    return [run.view for run in runs if run.state in _WAITS]


def refuse_failures(runs: Sequence[IngestionRun]) -> None:
    """Raise ``Refused`` unless every run succeeded; it says of each other one what became of it."""
    told = [_sentence(run) for run in runs if run.state != RunState.SUCCEEDED]
    if told:
        raise Refused("run_not_succeeded", " ".join(told))


def _sentence(run: IngestionRun) -> str:
    error = run.error or {}
    why = run.hold_reason or error.get("message", "") or ("it was cancelled" if run.is_cancelled else "")
    code = f" [{error['code']}]" if error.get("code") else ""
    return f"Run {run.pk} of feature view {run.view} is {run.state}: {why}{code}."
