"""What one drain of a stream lane shares, and the processing of one micro-batch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import F
from prometheus_client import Counter, Gauge

from controlplane.contracts.model import Source, StreamLane
from controlplane.ingestion.domain.events import CheckedEvent, EventReader
from controlplane.ingestion.domain.packing import Packer
from controlplane.ingestion.domain.rows import ITEM_TOO_LARGE, CheckedRow, Fault
from controlplane.ingestion.domain.runs import Counts
from controlplane.ingestion.models import IngestionRun, LaneState
from controlplane.ingestion.services.refusing import Refusal, hold_stored, record_refusals
from controlplane.ingestion.services.runs import Claim
from controlplane.ingestion.services.store import NO_RUN, ensure_layout
from controlplane.ingestion.services.touching import touch_keys
from controlplane.ingestion.sources.stream import Chunk, Event
from controlplane.kernel import clock
from controlplane.kernel.metrics import REGISTRY
from controlplane.registry.domain.records import ViewRecord
from store_adapters import Lane, RowWrite, Store, WriteResult

STREAM_EVENTS = Counter(
    "freshline_stream_events",
    "Events of streams by what became of them.",
    ["project", "view", "result"],
    registry=REGISTRY,
)
STREAM_LAG = Gauge(
    "freshline_stream_lag",
    "What a stream still holds behind our cursor: events, or bytes of a file.",
    ["project", "view"],
    registry=REGISTRY,
)
STREAM_LAG_SECONDS = Gauge(
    "freshline_stream_lag_seconds",
    "How long ago the last event arrived that a stream lane has consumed, 0 at the end of the stream.",
    ["project", "view"],
    registry=REGISTRY,
)


@dataclass(frozen=True, slots=True)
class Drain:
    """A claimed lane with everything that its micro-batches need."""

    run: IngestionRun
    claim: Claim
    record: ViewRecord
    lane: StreamLane
    source: Source
    state: LaneState
    store: Store

    def reader(self) -> EventReader:
        return EventReader(
            self.lane,
            join_keys=self.record.join_keys,
            features=self.record.view.features,
            event_time=self.source.event_time,
        )

    def packer(self) -> Packer:
        assert self.run.run_number is not None  # set by the claim
        return Packer(Lane.STREAM, self.record.layout, self.run.run_number, self.record.view.expire_after)


def consume(drain: Drain, reader: EventReader, partition: str, chunk: Chunk, *, identity: str) -> None:
    """Write a micro-batch, then move the cursor: never the other way round. Doing it twice is harmless."""
    now = clock.now()
    checked = [(event, _check(reader, event)) for event in chunk.events]
    checked, refusals, results = _write(drain, checked, now=now)
    counts = _counts(checked, results)
    with transaction.atomic():
        drain.claim.renew(
            now=now,
            attempt=0,
            **{name: F(name) + amount for name, amount in counts.as_dict().items() if amount},
        )
        record_refusals(drain.run, refusals, now=now)
        state = LaneState.objects.select_for_update().get(pk=drain.state.pk)
        cursors = {**state.cursors, partition: {**chunk.cursor, "of": identity}}
        LaneState.objects.filter(pk=state.pk).update(cursors=cursors)
    _count(drain, counts)


def _check(reader: EventReader, event: Event) -> CheckedEvent:
    if event.fault is not None:
        fault = Fault("", "too_large" if "at most" in event.fault else "bad_json", event.fault)
        return CheckedEvent(CheckedRow(None, None, (), fault), is_delete=False)
    return reader.read(event.payload, arrival_us=event.arrival_us, is_flat=event.is_flat)


def _write(
    drain: Drain,
    checked: Sequence[tuple[Event, CheckedEvent]],
    *,
    now: datetime,
) -> tuple[list[tuple[Event, CheckedEvent]], list[Refusal], list[WriteResult]]:
    """Return the events, with what the store could not hold now refused; the refusals; others' results."""
    record, store, packer = drain.record, drain.store, drain.packer()
    good = [(event, found) for event, found in checked if found.row.fault is None]
    writes = [_pack(packer, event, found, now_us=clock.to_us(now)) for event, found in good]
    touch_keys(record, [found.row.key for _, found in checked if found.row.key is not None], now=now)
    if writes:
        ensure_layout(store, record, record.layout)
    results = store.write_rows(record.project, record.name, writes, run_number=NO_RUN) if writes else []
    outcomes = iter(results)
    judged = [
        (event, found if found.row.fault is not None else _as_stored(found, next(outcomes)))
        for event, found in checked
    ]
    refusals = [_refusal(event, found.row) for event, found in judged if found.row.fault is not None]
    held = hold_stored(record, packer, refusals, store=store, now=now)
    if held:
        store.write_rows(record.project, record.name, held, run_number=NO_RUN)
    return judged, refusals, [result for result in results if result is not WriteResult.TOO_LARGE]


def _as_stored(found: CheckedEvent, result: WriteResult) -> CheckedEvent:
    """Return a row that was right, refused when the store could not hold it."""
    if result is not WriteResult.TOO_LARGE:
        return found
    return replace(found, row=replace(found.row, fault=ITEM_TOO_LARGE))


def _pack(packer: Packer, event: Event, found: CheckedEvent, *, now_us: int) -> RowWrite:
    row = found.row
    assert row.key is not None and row.event_time_us is not None
    if found.is_delete:
        return packer.pack_tombstone(
            row.key, event_time_us=row.event_time_us, position=event.position, now_us=now_us
        )
    return packer.pack(
        row.key, row.values, event_time_us=row.event_time_us, position=event.position, now_us=now_us
    )


def _refusal(event: Event, row: CheckedRow) -> Refusal:
    assert row.fault is not None
    return Refusal(
        position=event.place,
        fault=row.fault,
        payload=event.payload,
        key=row.key,
        event_time_us=row.event_time_us,
        order=event.position,
        is_flat=event.is_flat,
    )


def _counts(checked: Sequence[tuple[Event, CheckedEvent]], results: Sequence[WriteResult]) -> Counts:
    deletes = [found.is_delete for _, found in checked if found.row.fault is None]
    removed = sum(
        1 for gone, result in zip(deletes, results, strict=True) if gone and result is WriteResult.WRITTEN
    )
    written = results.count(WriteResult.WRITTEN)
    return Counts(
        read=len(checked),
        changed=written - removed,
        removed=removed,
        unchanged=results.count(WriteResult.UNCHANGED),
        written=written,
        older=results.count(WriteResult.OLDER),
        refused=len(checked) - len(results),
    )


def _count(drain: Drain, counts: Counts) -> None:
    for name in ("written", "older", "unchanged", "refused"):
        STREAM_EVENTS.labels(drain.record.project, drain.record.name, name).inc(getattr(counts, name))
