"""The life of an ingestion run: states, the moves between them, and what lineage hears of each move."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from controlplane.kernel.errors import Conflict


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    HELD = "held"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"


class Phase(StrEnum):
    """Where a running batch run is; a run that is taken over goes on from its phase."""

    NONE = ""
    READ = "read"
    CHECK = "check"
    WRITE = "write"
    VERIFY = "verify"
    COMMIT = "commit"
    PUBLISH = "publish"  # manifest committed: only the store's watermark and the last transition are left


class LineageEvent(StrEnum):
    """OpenLineage's event types."""

    START = "START"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    FAIL = "FAIL"
    ABORT = "ABORT"


ENDED = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.ABORTED})
UNFINISHED = frozenset(RunState) - ENDED

_Q, _R, _H = RunState.QUEUED, RunState.RUNNING, RunState.HELD
# Every move that exists. A queued run that starts again after a failure that may pass is no second START.
_MOVES: Mapping[tuple[RunState | None, RunState], LineageEvent | None] = {
    (None, _Q): None,
    (None, _R): LineageEvent.START,
    (_Q, _R): LineageEvent.START,
    (_Q, RunState.ABORTED): LineageEvent.ABORT,
    (_Q, RunState.FAILED): LineageEvent.FAIL,
    (_R, _R): LineageEvent.RUNNING,
    (_R, _Q): LineageEvent.RUNNING,
    (_R, _H): LineageEvent.RUNNING,
    (_R, RunState.SUCCEEDED): LineageEvent.COMPLETE,
    (_R, RunState.FAILED): LineageEvent.FAIL,
    (_R, RunState.ABORTED): LineageEvent.ABORT,
    (_H, _Q): LineageEvent.RUNNING,
    (_H, RunState.ABORTED): LineageEvent.ABORT,
}


def lineage_event(before: RunState | None, after: RunState, *, started: bool) -> LineageEvent | None:
    """Return what lineage hears of the move; ``Conflict`` when there is no such move.

    ``started``: the run has run before, so that its next start is only another RUNNING.
    """
    if (before, after) not in _MOVES:
        raise Conflict("conflict", f"a run that is {before or 'new'} cannot become {after}")
    event = _MOVES[before, after]
    return LineageEvent.RUNNING if event is LineageEvent.START and started else event


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run did, in rows. ``refused`` broke the contract; ``older`` lost against what the store had."""

    read: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    written: int = 0
    older: int = 0
    refused: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            *(a + b for a, b in zip(self.as_dict().values(), other.as_dict().values(), strict=True))
        )

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in COUNT_NAMES}


COUNT_NAMES = ("read", "added", "changed", "removed", "unchanged", "written", "older", "refused")


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run failed: a stable code, a sentence, and where in the source, when that is known."""

    code: str
    message: str
    source: str | None = None
    column: str | None = None
    row: int | None = None

    def as_dict(self) -> dict[str, object]:
        return {
            "code": self.code,
            "message": self.message,
            "source": self.source,
            "column": self.column,
            "row": self.row,
        }


class LostLease(Exception):
    """The fence of a claim is no longer ours: somebody else has the run, or it was ended. Stop, write nothing."""
