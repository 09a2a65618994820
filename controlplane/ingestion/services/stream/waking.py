"""Which stream lanes a worker drains now, and how one that stands at a gap goes on."""

from datetime import datetime

from controlplane.ingestion.domain.runs import RunState
from controlplane.ingestion.models import IngestionRun, LaneState
from controlplane.ingestion.services.runs import queue_run
from controlplane.ingestion.services.stream.draining import drain_stream
from controlplane.kernel.errors import Conflict
from controlplane.registry import selectors as registry
from store_adapters import Lane


def drain_streams(*, worker: str) -> int:
    """Drain every active stream lane for a while; returns how many there are."""
    lanes = LaneState.objects.filter(lane=Lane.STREAM, is_active=True).order_by("pk")
    found = list(lanes.values_list("project", "view"))
    for project, view in found:
        drain_stream(project, view, worker=worker)
    return len(found)


def skip_gap(project: str, view: str, *, requested_by: str, now: datetime) -> IngestionRun:
    """Queue a run that goes on after a gap. What was in it is lost, and somebody has said so."""
    record = registry.find_view(project, view)
    state = LaneState.objects.filter(view_id=record.id, lane=Lane.STREAM).first()
    if state is None or not state.gap:
        raise Conflict("conflict", f"the stream of {view} stands at no gap")
    run = queue_run(record, Lane.STREAM, now=now, skip_gap=True, requested_by=requested_by)
    IngestionRun.objects.filter(pk=run.pk, state=RunState.QUEUED).update(skips_gap=True)
    return run
