"""The phases of a batch run, as far as it got."""

from collections.abc import Mapping
from datetime import timedelta

from controlplane.ingestion.domain.runs import Phase as Step
from controlplane.ingestion.domain.runs import RunState
from controlplane.ingestion.selectors import RunRecord
from frontend.records.runs import PHASES, Phase
from store_adapters import Lane

# Where a run stands that says so: reading and comparing are one step of the work, and two of the story.
_AT: Mapping[str, int] = {
    Step.READ: PHASES.index("read"),
    Step.CHECK: PHASES.index("check"),
    Step.WRITE: PHASES.index("write"),
    Step.VERIFY: PHASES.index("verify"),
    Step.COMMIT: PHASES.index("watermark"),
    Step.PUBLISH: PHASES.index("watermark"),
}
_HERE = {RunState.RUNNING: "running", RunState.FAILED: "failed", RunState.ABORTED: "failed"}


def phases_of(record: RunRecord) -> tuple[Phase, ...]:
    """Return the phases of a batch run; other lanes have none."""
    if record.lane is not Lane.BATCH:
        return ()
    seconds = record.ledger.get("seconds", {})
    total = sum(seconds.values())
    at = _AT.get(record.phase, -1)
    rows = _rows(record)
    return tuple(
        Phase(
            name=name,
            state=_state(record, index, at),
            took=timedelta(seconds=seconds[name]) if name in seconds else None,
            share=seconds.get(name, 0) / total if total else 0,
            rows=rows[name][0] if name in rows and index <= at else None,
            note=rows[name][1] if name in rows and index <= at else "",
        )
        for index, name in enumerate(PHASES)
    )


def _state(record: RunRecord, index: int, at: int) -> str:
    if record.state is RunState.SUCCEEDED or index < at:
        return "done"
    return _HERE.get(record.state, "waiting") if index == at else "waiting"


def _rows(record: RunRecord) -> Mapping[str, tuple[int, str]]:
    """Return, for the phases that count rows, how many and what became of them."""
    counts = record.counts
    moved = counts.added + counts.changed + counts.removed
    if record.phase == Step.READ:
        return {}
    return {
        "read": (counts.read, "read"),
        "compare": (moved, "changed"),
        "check": (counts.refused, "refused"),
        "write": (counts.written, "written"),
    }
