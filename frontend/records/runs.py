"""Ingestion runs: the list, and one run from reading to its watermark."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from frontend.records.view import RunRow

PHASES = ("read", "compare", "check", "write", "verify", "watermark")


@dataclass(frozen=True, slots=True)
class RunListPage:
    """Live runs on top, then history."""

    project: str
    live: tuple[RunRow, ...]
    rows: tuple[RunRow, ...]
    state: str
    lane: str
    view: str
    after: str
    exists: bool = True


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: ``state`` is done, running, failed or waiting."""

    name: str
    state: str
    took: timedelta | None
    share: float
    rows: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure beside the same figure of the last good run."""

    label: str
    value: str
    before: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class RunError:
    """Why it failed: where, what, how often lately. Traces are in the log."""

    phase: str
    message: str
    code: str
    same_in_a_day: int


@dataclass(frozen=True, slots=True)
class RefusedSample:
    """A refused row without its values: which key hash, which field, why."""

    row: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunPage:
    """One run. ``done`` and ``total`` are rows written; an unknown total gives no share.

    ``note`` says what there is to know of a run that was held or hollow; ``gap`` why its stream stands.
    """

    project: str
    run: RunRow
    done: int | None
    total: int | None
    phases: tuple[Phase, ...]
    figures: tuple[Compared, ...]
    error: RunError | None
    refused: tuple[RefusedSample, ...]
    watermark_before: datetime | None
    watermark_after: datetime | None
    openlineage_run_id: str
    lineage_node: str
    events: str
    previous: int | None
    may_operate: bool = False
    note: str = ""
    retry_at: datetime | None = None
    gap: str = ""

    @property
    def live(self) -> bool:
        """Whether it can still change."""
        return self.run.state in ("queued", "running", "held")

    @property
    def may_cancel(self) -> bool:
        """Whether there is something to end; a minute of direct rows ends by itself."""
        return self.may_operate and self.live and self.run.lane != "direct"

    @property
    def may_retry(self) -> bool:
        """Whether a retry makes sense and this person may ask for it."""
        return self.may_operate and self.run.state in ("failed", "aborted") and self.run.lane == "batch"
