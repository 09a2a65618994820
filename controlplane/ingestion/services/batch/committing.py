"""After the last verified write: the manifest, then the watermark, then success. A sweeper can do the end."""

from pathlib import Path
from typing import Any

from django.db import transaction

from controlplane.ingestion import manifests
from controlplane.ingestion.domain.hollow import Evidence, why_hollow
from controlplane.ingestion.domain.runs import Phase, RunState
from controlplane.ingestion.models import IngestionRun, LaneState
from controlplane.ingestion.services.batch.unwritten import facts_less, manifest_of, read_unwritten
from controlplane.ingestion.services.batch.work import Work
from controlplane.ingestion.services.lanes import move_watermark, publish_watermark
from controlplane.ingestion.services.runs import move_run
from controlplane.ingestion.services.touching import drop_touched
from controlplane.kernel import clock


def commit_plan(work: Work, plan: Path, facts: dict[str, Any]) -> None:
    """Put the manifest under a new name; then one fenced transaction points to it and moves the watermark."""
    work.enter(Phase.COMMIT)
    unwritten = read_unwritten(plan).values()
    manifests.publish_manifest(manifest_of(work, plan, unwritten), work.folders.manifest(work.run.plan))
    now_us = clock.now_us()
    with transaction.atomic():
        state = LaneState.objects.select_for_update().get(pk=work.state.pk)
        hollow = why_hollow(_evidence(state, facts, now_us))
        LaneState.objects.filter(pk=state.pk).update(
            manifest=work.run.plan,
            manifest_layout=facts["layout"],
            repair=[],
            dirty_plans=[],
            **_newest(state, facts, now_us),
        )
        after_us = move_watermark(state.pk, generation=work.run.generation, provable_us=facts["provable_us"])
        drop_touched(work.record.id, before_us=facts["read_start_us"])
        work.enter(
            Phase.PUBLISH,
            watermark_after_us=after_us,
            hollow=hollow or "",
            ledger=_ledger(work, facts_less(facts, unwritten)),
        )


def publish_run(work: Work) -> None:
    """Tell the store the watermark and end the run. Doing it twice changes nothing."""
    work.state.refresh_from_db()
    if work.state.generation == work.run.generation:  # else it is another's, perhaps of another store
        publish_watermark(work.state, store=work.store)
    move_run(work.claim, RunState.SUCCEEDED, now=clock.now())
    manifests.sweep(work.folders, manifests=[work.state.manifest], plans=work.state.dirty_plans, works=[])


def _ledger(work: Work, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what the run saved against writing everything that it read."""
    run = IngestionRun.objects.get(pk=work.run.pk)
    avoided = facts["unchanged"]
    mean_bytes = facts["bytes"] / facts["writes"] if facts["writes"] else 0
    return {
        "rows_scanned": facts["rows_scanned"],
        "rows_read": facts["rows_read"],
        **run.counts.as_dict(),
        "refreshed": facts["refreshed"],
        "ambiguous": facts["ambiguous"],
        "writes": facts["writes"],
        "bytes_written": facts["bytes"],
        "writes_avoided": avoided,
        "bytes_avoided": round(avoided * mean_bytes),
        "seconds": {
            name: round(seconds, 3) for name, seconds in {**facts["seconds"], **work.seconds}.items()
        },
    }


def _evidence(state: LaneState, facts: dict[str, Any], now_us: int) -> Evidence:
    """Gather what tells a hollow run. A source without event time has nothing that could stand still."""
    return Evidence(
        rows_read=facts["rows_read"],
        expected_rows=state.last_rows_read,
        newest_event_us=facts["newest_event_us"],
        newest_before_us=state.newest_event_us,
        moved_at_us=state.newest_moved_at_us,
        now_us=now_us,
        explained_us=facts["explained_us"],
    )


def _newest(state: LaneState, facts: dict[str, Any], now_us: int) -> dict[str, int | None]:
    newest, before = facts["newest_event_us"], state.newest_event_us
    moved = newest is not None and (before is None or newest > before)
    return {
        "newest_event_us": newest if moved else before,
        "newest_moved_at_us": now_us if moved else state.newest_moved_at_us,
        # A hollow run must not make the next one look right: what was expected stays expected.
        "last_rows_read": facts["rows_read"] or state.last_rows_read,
    }
