"""Refused rows, sent through their lane again after a fix: of the definition, never of the row."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from controlplane.ingestion.domain.events import EventReader
from controlplane.ingestion.domain.packing import Packer
from controlplane.ingestion.domain.rows import EVENT_TIME, ITEM_TOO_LARGE, CheckedRow, Fault, RowReader
from controlplane.ingestion.domain.runs import Counts
from controlplane.ingestion.models import RefusedRow
from controlplane.ingestion.services.minutes import add_counts
from controlplane.ingestion.services.runs import queue_run
from controlplane.ingestion.services.store import NO_RUN, ensure_layout, online_store, refuse_unpurged
from controlplane.ingestion.services.touching import touch_keys
from controlplane.kernel import clock
from controlplane.kernel.errors import NotFound
from controlplane.registry import selectors as registry
from controlplane.registry.domain.records import ViewRecord
from store_adapters import Lane, RowWrite, WriteResult

MAX_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of them. ``queued``: batch rows, at which their lane's next run looks again; it is due."""

    written: int = 0
    older: int = 0
    unchanged: int = 0
    refused: int = 0
    queued: int = 0


@dataclass(frozen=True, slots=True)
class _Retried:
    row: CheckedRow
    is_delete: bool
    position: int


def redrive(project: str, *, ids: Iterable[int] | None, view: str | None, now: datetime) -> Redriven:
    """Try refused rows again, by ids or all of a view, 1,000 at most. The order of the lane is kept: a row
    goes to its own place, so a later value that has come meanwhile stays.
    """
    found = RefusedRow.objects.filter(project=project, redriven_at=None).select_related("run")
    found = found.filter(pk__in=list(ids)) if ids is not None else found.filter(view=view)
    rows = list(found.order_by("pk")[:MAX_AT_ONCE])
    if ids is not None and not rows:
        raise NotFound("not_found", "There are no such refused rows, or they were redriven already.")
    counts: dict[str, int] = {}
    for row in rows:
        result = _redrive_one(row, now=now)
        counts[result] = counts.get(result, 0) + 1
    return Redriven(**counts)


def _redrive_one(row: RefusedRow, *, now: datetime) -> str:
    record = registry.find_view(row.project, row.view)
    if record.id != row.view_id or row.lane not in record.view.lanes:
        return "refused"
    if row.lane == Lane.BATCH:
        queue_run(record, Lane.BATCH, now=now, requested_by="redrive")
        _mark(row, "queued", now=now)
        return "queued"
    if row.is_cut:
        return "refused"  # its payload is not whole; only its source has it
    retried = _READERS[Lane(row.lane)](record, row)
    if retried.row.fault is not None:
        _tell(row, retried.row.fault)
        return "refused"
    result = _write(record, row, retried, now=now)
    if result != "refused":
        _mark(row, result, now=now)
    return result


def _read_direct(record: ViewRecord, row: RefusedRow) -> _Retried:
    document = json.loads(row.payload)
    given, is_delete = document["row"], bool(document["delete"])
    reader = RowReader(join_keys=record.join_keys, features=record.view.features)
    checked = reader.read(
        given,
        event_time=given.get(EVENT_TIME),
        default_event_time_us=clock.to_us(row.received_at),
        is_delete=is_delete,
    )
    unknown = reader.unknown_fields(given)
    if unknown and checked.fault is None:
        fault = Fault(unknown[0], "unknown_field", f"{unknown[0]!r} is no join key or feature of this view")
        checked = CheckedRow(checked.key, checked.event_time_us, checked.values, fault)
    return _Retried(checked, is_delete, row.order)


def _read_stream(record: ViewRecord, row: RefusedRow) -> _Retried:
    assert record.view.stream is not None  # the lane is declared
    source = registry.find_source(record.project, record.view.stream.source)
    reader = EventReader(
        record.view.stream,
        join_keys=record.join_keys,
        features=record.view.features,
        event_time=source.event_time,
    )
    # Redis ids tell when an event came; a file's lines do not.
    arrival_us = (row.order >> 20) * 1_000 if source.connection else clock.to_us(row.received_at)
    checked = reader.read(row.payload, arrival_us=arrival_us, is_flat=row.is_flat)
    return _Retried(checked.row, checked.is_delete, row.order)


def _write(record: ViewRecord, row: RefusedRow, retried: _Retried, *, now: datetime) -> str:
    found, store = retried.row, online_store(record.store)
    assert found.key is not None and found.event_time_us is not None and row.run.run_number is not None
    packer = Packer(Lane(row.lane), record.layout, row.run.run_number, record.view.expire_after)
    place = {"event_time_us": found.event_time_us, "position": retried.position, "now_us": clock.to_us(now)}
    write: RowWrite
    if retried.is_delete:
        write = packer.pack_tombstone(found.key, **place)
    else:
        write = packer.pack(found.key, found.values, **place)
    refuse_unpurged(record)
    ensure_layout(store, record, record.layout)
    touch_keys(record, [found.key], now=now)
    (result,) = store.write_rows(record.project, record.name, [write], run_number=NO_RUN)
    if result is WriteResult.TOO_LARGE:
        _tell(row, ITEM_TOO_LARGE)
        return "refused"
    add_counts(row.run, Counts(**{result.value: 1}))
    return result.value


def _mark(row: RefusedRow, result: str, *, now: datetime) -> None:
    RefusedRow.objects.filter(pk=row.pk).update(redriven_at=now, redrive_result=result)


def _tell(row: RefusedRow, fault: Fault) -> None:
    RefusedRow.objects.filter(pk=row.pk).update(
        field=fault.field[:63], code=fault.code, message=fault.message[:500]
    )


_READERS: dict[Lane, Callable[[ViewRecord, RefusedRow], _Retried]] = {
    Lane.DIRECT: _read_direct,
    Lane.STREAM: _read_stream,
}
