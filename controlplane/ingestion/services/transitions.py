"""Moves of runs. Each is a row, written in the transaction of the move itself."""

from datetime import datetime
from typing import Any

from controlplane.ingestion.domain.runs import RunState, lineage_event
from controlplane.ingestion.models import IngestionRun, RunTransition
from controlplane.kernel import clock


def record_transition(run: IngestionRun, *, before: RunState | None, after: RunState, now: datetime) -> None:
    """Add the row of a move that ``run`` (as it is after it) has just made; inside its transaction."""
    started = RunTransition.objects.filter(run=run, event="START").exists()
    event = lineage_event(before, after, started=started)
    last = RunTransition.objects.filter(run=run).order_by("-sequence").values_list("sequence", flat=True)
    RunTransition.objects.create(
        run=run,
        sequence=(last.first() or 0) + 1,
        at=now,
        before=before or "",
        after=after,
        phase=run.phase,
        event=event or "",
        facts=_facts(run),
        emit_due_at=now,
    )


def _facts(run: IngestionRun) -> dict[str, Any]:
    """Return everything that the event will say, so that it never has to look anywhere else."""
    return {
        "run_id": str(run.openlineage_run_id),
        "namespace": f"freshline://{run.project}",
        "job": f"{run.view}.{run.lane}",
        "view": run.view,
        "lane": run.lane,
        "run_number": run.run_number,
        "phase": run.phase,
        "hollow": run.hollow or None,
        "watermark_before": _instant(run.watermark_before_us),
        "watermark_after": _instant(run.watermark_after_us),
        "looked_at": _instant(run.looked_us),
        "nominal_time": _text(run.scheduled_for) if run.scheduled_for and run.lane == "batch" else None,
        "error": run.error,
        "counts": run.counts.as_dict(),
        "schema": run.dataset.get("schema", []),
        "inputs": run.dataset.get("inputs", []),
    }


def _instant(microseconds: int | None) -> str | None:
    return None if microseconds is None else _text(clock.from_us(microseconds))


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")
