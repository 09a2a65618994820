"""Ingestion runs: lists of them, and one from its first read to its watermark."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from controlplane.ingestion import selectors as ingestion
from controlplane.ingestion.domain.runs import ENDED, UNFINISHED, RunState
from controlplane.ingestion.selectors import RunRecord
from controlplane.kernel import clock
from controlplane.kernel.codes import CODES
from controlplane.kernel.errors import NotFound
from frontend.readers.phases import phases_of
from frontend.records.home import RunLine
from frontend.records.runs import Compared, RefusedSample, RunError, RunListPage, RunPage
from frontend.records.view import RunRow
from frontend.wording import count, took
from store_adapters import Lane

PAGE = 50
_IN_PROGRESS = 8
_REFUSED = 10
_DAY = timedelta(days=1)
# Asked for by the program itself; anything else is the name of a person.
_OWN = {"schedule": "schedule", "stream": "continuous", "redrive": "redrive"}
_FIGURES = ("read", "added", "changed", "removed", "unchanged", "written", "older", "refused")


def read_run_list(
    project: str, *, state: str, lane: str, view: str, before: int | None, now: datetime
) -> RunListPage:
    """Return runs that match: those in progress, and a page of those that ended before the id ``before``."""

    def found(among: Collection[RunState], *, before: int | None, limit: int) -> list[RunRecord]:
        states = [each for each in among if state in ("", each)]
        if not states:
            return []
        return ingestion.list_runs(
            project, view=view or None, lane=lane or None, states=states, before=before, limit=limit
        )

    live = found(UNFINISHED, before=None, limit=PAGE)
    ended = found(ENDED, before=before, limit=PAGE + 1)
    shown = ended[:PAGE]
    rows = run_rows([*live, *shown], now=now)
    return RunListPage(
        project=project,
        live=rows[: len(live)],
        rows=rows[len(live) :],
        state=state,
        lane=lane,
        view=view,
        after=str(shown[-1].id) if len(ended) > PAGE else "",
        exists=bool(rows or state or lane or view or before),
    )


def read_runs_of(project: str, view: str, *, now: datetime) -> tuple[RunRow, ...]:
    """Return the newest runs of one view."""
    return run_rows(ingestion.list_runs(project, view=view, limit=PAGE), now=now)


def lines_in_progress(running: Sequence[RunRecord]) -> tuple[RunLine, ...]:
    """Return batch runs at work. Streams and minutes of direct rows are always at work: no news."""
    return tuple(
        RunLine(
            id=run.id,
            view=run.view,
            lane=run.lane,
            phase=run.phase,
            done=run.progress_done if run.progress_total else None,
            total=run.progress_total or None,
            started_at=run.started_at or run.queued_at,
        )
        for run in running[:_IN_PROGRESS]
    )


def run_rows(records: Sequence[RunRecord], *, now: datetime) -> tuple[RunRow, ...]:
    """Return runs as rows of a list, in as many queries for one as for all."""
    batch = {record.view for record in records if record.lane is Lane.BATCH}
    usual = ingestion.usual_times(records[0].project, batch) if batch else {}
    return tuple(_row(record, usual.get(record.view), now=now) for record in records)


def _row(record: RunRecord, usual: timedelta | None, *, now: datetime) -> RunRow:
    counts = record.counts
    known = record.started_at is not None and not (record.phase == "read" and not counts.read)
    moved = counts.added + counts.changed + counts.removed
    return RunRow(
        id=record.id,
        view=record.view,
        lane=record.lane,
        state=record.state,
        trigger=_trigger(record),
        started_at=record.started_at,
        took=_took(record, now=now),
        usual=usual if record.lane is Lane.BATCH else None,
        read=counts.read if known else None,
        # Only batch compares with what was there; in the other lanes a row that is written has changed.
        changed=(moved if record.lane is Lane.BATCH else counts.written) if known else None,
        written=counts.written if known else None,
        refused=counts.refused if known else None,
        hollow=record.hollow is not None,
        phase=record.phase,
        worker=record.worker,
    )


def _trigger(record: RunRecord) -> str:
    if record.lane is Lane.DIRECT:
        return "rows posted"
    return _OWN.get(record.requested_by, record.requested_by) or "nobody named"


def _took(record: RunRecord, *, now: datetime) -> timedelta | None:
    if record.started_at is None:
        return None
    if record.ended_at is not None:
        return record.ended_at - record.started_at
    # Whole seconds, so that a page asked for twice in one second is the same page.
    return timedelta(seconds=(now - record.started_at) // timedelta(seconds=1))


def find_run(project: str, run_id: int) -> RunRecord:
    """Return a run of ``project``; ``NotFound`` for any other."""
    record = ingestion.find_run(run_id)
    if record.project != project:
        raise NotFound("not_found", f"There is no run {run_id}, or you may not know of it.")
    return record


def read_run(project: str, run_id: int, *, may_operate: bool, now: datetime) -> RunPage:
    """Return the page of one run; ``NotFound`` when ``project`` has none with that id."""
    record = find_run(project, run_id)
    before = ingestion.previous_good_run(record)
    (row,) = run_rows([record], now=now)
    return RunPage(
        project=project,
        run=row,
        done=record.progress_done if record.progress_total else None,
        total=record.progress_total or None,
        phases=phases_of(record),
        figures=_figures(record, before, now=now),
        error=_error(record, now=now),
        refused=_refused(record),
        watermark_before=_instant(record.watermark_before_us),
        watermark_after=_instant(record.watermark_after_us),
        openlineage_run_id=str(record.openlineage_run_id),
        lineage_node=f"job:freshline://{project}|{record.view}.{record.lane}",
        events=ingestion.last_event(record.id) or "",
        previous=before.id if before else None,
        may_operate=may_operate,
        note=_note(record),
        retry_at=record.due_at if record.state is RunState.QUEUED and record.error else None,
        gap=_gap(record),
    )


def _note(record: RunRecord) -> str:
    if record.state is RunState.HELD:
        return f"Held: {record.hold_reason}. Release it, or the next run takes its place."
    if record.hollow is not None:
        return f"Hollow: {record.hollow}. It ended well, yet proves nothing new."
    return f"Ended: {record.hold_reason}." if record.hold_reason else ""


def _gap(record: RunRecord) -> str:
    """Return why the run's stream stands, when it does."""
    if record.lane is not Lane.STREAM or record.state is not RunState.FAILED:
        return ""
    lanes = ingestion.lanes(record.project, record.view)
    return next((lane.gap or "" for lane in lanes if lane.lane is Lane.STREAM), "")


def _figures(record: RunRecord, before: RunRecord | None, *, now: datetime) -> tuple[Compared, ...]:
    mine = record.counts.as_dict()
    theirs = before.counts.as_dict() if before else {}
    figures = [
        Compared(name, count(mine[name]), count(theirs.get(name)), _change(mine[name], theirs.get(name)))
        for name in _FIGURES
    ]
    lasted, usual = _took(record, now=now), _took(before, now=now) if before else None
    seconds = [each.total_seconds() if each else None for each in (lasted, usual)]
    return (*figures, Compared("took", took(lasted), took(usual), _change(*seconds)))


def _change(mine: float | None, theirs: float | None) -> str:
    """Return ``+0.2 %``; nothing where a share of nothing would be meant, or nothing changed."""
    if mine is None or not theirs or mine == theirs:
        return ""
    share = (mine - theirs) / theirs * 100
    return f"{share:+.0f} %" if abs(share) >= 10 else f"{share:+.1f} %"


def _error(record: RunRecord, *, now: datetime) -> RunError | None:
    if not record.error:
        return None
    where = [str(record.error[name]) for name in ("source", "column") if record.error.get(name)]
    told = f"{': '.join(where)}: {record.error['message']}" if where else str(record.error["message"])
    return RunError(
        phase=record.phase or "start",
        message=told,
        code=str(record.error["code"]),
        same_in_a_day=ingestion.failures_like(record, since=now - _DAY),
    )


def _refused(record: RunRecord) -> tuple[RefusedSample, ...]:
    """Return the first refused rows, told by code: what the row held is for those who may look up values."""
    if not record.counts.refused:
        return ()
    rows = ingestion.refused_rows(None, project=record.project, run_id=record.id).order_by("id")
    return tuple(
        RefusedSample(_place(row.position), row.field or "–", CODES.get(row.code, row.code))
        for row in rows[:_REFUSED]
    )


def _place(position: str) -> str:
    """Return where a row was; batch names it by its key's values, of which only a digest is shown."""
    if not position.startswith("["):
        return position
    return f"key {hashlib.sha256(position.encode()).hexdigest()[:12]}"


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else clock.from_us(microseconds)
