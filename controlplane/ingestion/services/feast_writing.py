"""What Feast's clients write: a data frame to one view, or to all views of a push source.

Feast answers for a frame as a whole, so a refused row makes the answer an error, though the good rows are
written (the direct lane answers for each row). Writing a frame again changes nothing, so that a client may
repeat it once it has left the named rows out.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from controlplane.ingestion.domain.feast_frames import Frame, rows_of
from controlplane.ingestion.services import direct
from controlplane.ingestion.services.store import refuse_read_only
from controlplane.kernel.errors import FieldError, Refused
from controlplane.kernel.names import DEFAULT_STORE
from controlplane.registry import selectors as registry
from controlplane.registry.domain.records import ViewRecord

_SHOWN = 10
_Rows = list[dict[str, object]]
AtTheEnd = Callable[[Callable[[], None]], None]


def push_frame(
    project: str, source: str, frame: Frame, *, received_at: datetime, now: datetime, at_the_end: AtTheEnd
) -> None:
    """Write a frame to every view of the push source; ``Refused`` when any row was not written."""
    records = [
        record
        for record in registry.list_views(project)
        if record.view.direct is not None and record.view.direct.source == source
    ]
    if not records:
        # Views of a store that Feast fills have no lanes: no source of theirs has a name here.
        refuse_read_only(registry.find_definition(project).store or DEFAULT_STORE)
        raise Refused("unknown_reference", f"Unable to find push source '{source}'.")
    _write(records, frame, received_at=received_at, now=now, at_the_end=at_the_end)


def write_frame(
    project: str, view: str, frame: Frame, *, received_at: datetime, now: datetime, at_the_end: AtTheEnd
) -> None:
    """Write a frame to one view; ``NotFound`` without it, ``Refused`` when any row was not written."""
    record = registry.find_view(project, view)
    refuse_read_only(record.store)  # it is the reason why such a view has no lane
    if record.view.direct is None:
        raise Refused(
            "lane_not_declared", f"feature view {view!r} takes no direct rows; declare direct: true"
        )
    _write([record], frame, received_at=received_at, now=now, at_the_end=at_the_end)


def _write(
    records: Sequence[ViewRecord],
    frame: Frame,
    *,
    received_at: datetime,
    now: datetime,
    at_the_end: AtTheEnd,
) -> None:
    if frame.length > direct.MAX_ROWS:
        raise Refused("too_large", f"{frame.length} rows in one request, at most {direct.MAX_ROWS} are taken")
    for record in records:
        refuse_read_only(record.store)
    # Every view's columns are checked before the first row is written.
    wanted = [(record, _rows(record, frame)) for record in records]
    told: list[str] = []
    found: list[FieldError] = []
    written = 0
    for record, rows in wanted:
        good, faults = _write_one(record, rows, received_at=received_at, now=now, at_the_end=at_the_end)
        written += good
        found += faults
        if faults:
            told.append(_sentence(record, faults, of=len(rows)))
    if found:
        code = "some_refused" if written else "all_refused"
        raise Refused(code, " ".join(told), errors=found)


def _rows(record: ViewRecord, frame: Frame) -> _Rows:
    lane = record.view.direct
    source = registry.find_source(record.project, lane.source) if lane and lane.source else None
    return rows_of(
        frame,
        join_keys=record.join_keys,
        features=record.view.features,
        event_time=source.event_time if source else None,
    )


def _write_one(
    record: ViewRecord, rows: _Rows, *, received_at: datetime, now: datetime, at_the_end: AtTheEnd
) -> tuple[int, list[FieldError]]:
    """Return how many rows the store has now, and why the others are refused."""
    try:
        answer = direct.write_rows(
            record.project, record.name, rows=rows, received_at=received_at, now=now, at_the_end=at_the_end
        )
    except Refused as refused:
        if refused.code != "all_refused":
            raise
        return 0, list(refused.errors)
    faults = [
        FieldError(f"rows[{one.index}].{one.field}".rstrip("."), one.code, one.message)
        for one in answer.refused
    ]
    return len(rows) - len(faults), faults


def _sentence(record: ViewRecord, faults: Sequence[FieldError], *, of: int) -> str:
    shown = "; ".join(f"{fault.path}: {fault.message} [{fault.code}]" for fault in faults[:_SHOWN])
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    rest = of - len(faults)
    fate = f"the other {rest} are written" if rest else "none is written"
    return f"Feature view {record.name}: {len(faults)} of {of} rows are refused, {fate}: {shown}{more}."
