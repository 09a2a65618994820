"""Freezing what a run is about to write, after a last look at whether it should."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from controlplane.contracts.schedules import longest_gap
from controlplane.ingestion.domain import breakers
from controlplane.ingestion.domain.changes import Change
from controlplane.ingestion.domain.runs import Phase
from controlplane.ingestion.domain.watermarks import provable_us
from controlplane.ingestion.engines.duckdb import build_manifest
from controlplane.ingestion.engines.jobs import NEXT_MANIFEST, SAMPLE, ManifestJob
from controlplane.ingestion.manifests import freeze, metadata
from controlplane.ingestion.services.batch.checking import WRITES, Checked, check_and_pack, keep_refusals
from controlplane.ingestion.services.batch.reading import KEYS_OF_PLAN, ReadOut, limits, read_and_compare
from controlplane.ingestion.services.batch.work import Work
from controlplane.kernel import clock, durations

# A view without a schedule is run when somebody asks: nobody wonders before a day is over.
_NO_SCHEDULE = timedelta(days=1)
_FOR_EVER_US = 2**62


def make_plan(work: Work) -> str | None:
    """Read, compare, check and freeze. Returns why a circuit breaker holds the run, None to go on."""
    folder = work.folders.make_work(work.name)
    try:
        return _make_plan(work, folder)
    finally:
        # Frozen, the folder has become the plan; else it holds copies of rows that nobody will look at.
        shutil.rmtree(folder, ignore_errors=True)


def _make_plan(work: Work, folder: Path) -> str | None:
    work.enter(Phase.READ)
    read_out = read_and_compare(work, folder)
    work.seconds.update(read_out.compared.seconds)
    work.enter(Phase.CHECK)
    started = clock.now()
    now_us = clock.to_us(started)
    checked = check_and_pack(work, folder, looks_at_store=read_out.looks_at_store, now_us=now_us)
    build_manifest(
        folder,
        ManifestJob(
            join_keys=[key.name for key in work.record.join_keys],
            manifest=read_out.manifest,
            dirty=list(read_out.dirty),
            metadata=metadata(view_id=work.record.id, layout=work.record.layout.number),
            written_us=now_us,
            limits=limits(),
        ),
        timeout=settings.FRESHLINE_BATCH_TIMEOUT,
        beat=work.beat_if_due,
    )
    keep_refusals(work, checked)
    work.seconds["check"] = (clock.now() - started).total_seconds()
    _freeze(work, folder, read_out, checked)
    return (
        None if work.run.is_released else breakers.tripped(_limits(work), _outlook(work, read_out, checked))
    )


def _freeze(work: Work, folder: Path, read_out: ReadOut, checked: Checked) -> None:
    compared = read_out.compared
    newest = [shown.newest_us for shown in compared.sources if shown.newest_us is not None]
    facts: dict[str, Any] = {
        "run_number": work.run_number,
        "layout": work.record.layout.number,
        "read_start_us": read_out.read_start_us,
        "provable_us": provable_us(read_out.readings, rows_read=compared.rows),
        "newest_event_us": max(newest, default=None),
        "explained_us": _explained_us(work, read_out),
        "rows_scanned": sum(shown.rows for shown in compared.sources),
        "rows_read": compared.rows,
        "ambiguous": compared.ambiguous,
        "refreshed": checked.refreshed,
        "unchanged": compared.changes.get(Change.UNCHANGED, 0),
        "writes": checked.writes,
        "bytes": checked.bytes,
        "seconds": work.seconds,
    }
    freeze(folder, work.folders.plan(work.name), facts, keep=[WRITES, KEYS_OF_PLAN, NEXT_MANIFEST, SAMPLE])
    work.enter(
        Phase.WRITE,
        plan=work.name,
        shards_done=0,
        progress_done=0,
        progress_total=checked.writes,
        **{**_counts(compared, checked), "written": 0, "older": 0},
    )
    work.run.plan = work.name
    work.run.shards_done = 0


def _explained_us(work: Work, read_out: ReadOut) -> int:
    """Return how long the source may stand still without anybody having to wonder.

    Its schedule explains two intervals; and as long as it may rest and its values may grow old, the contract
    says itself what is late: a run is no news before a value is stale.
    """
    interval = longest_gap(work.lane.schedule, work.lane.timezone) if work.lane.schedule else _NO_SCHEDULE
    idle = [reading.max_idle_us for reading in read_out.readings]
    if any(us is None for us in idle):
        return _FOR_EVER_US
    allowed_us = max(us or 0 for us in idle) + durations.to_us(work.record.strictest_max_age)
    return max(2 * durations.to_us(interval), allowed_us)


def _counts(compared: Any, checked: Checked) -> dict[str, int]:
    return {
        "read": compared.rows,
        "added": checked.counts.added,
        "changed": checked.counts.changed,
        "removed": checked.counts.removed,
        "unchanged": compared.changes.get(Change.UNCHANGED, 0) + checked.refreshed,
        "refused": checked.counts.refused + compared.keyless,
    }


def _limits(work: Work) -> breakers.Limits:
    return breakers.Limits(work.lane.max_refused, work.lane.max_removed, work.lane.max_changed)


def _outlook(work: Work, read_out: ReadOut, checked: Checked) -> breakers.Outlook:
    return breakers.Outlook(
        read=read_out.compared.rows,
        refused=checked.counts.refused + read_out.compared.keyless,
        removed=checked.counts.removed,
        changed=checked.counts.added + checked.counts.changed + checked.counts.removed,
        known=read_out.compared.known,
        is_first=read_out.is_first,
        is_full=work.run.is_full,
        is_new_layout=read_out.is_new_layout,
    )
