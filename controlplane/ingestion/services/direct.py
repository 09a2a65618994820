"""The direct lane: rows checked, written and acknowledged in one request (ingestion.md: Direct)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from prometheus_client import Counter

from controlplane.ingestion.domain.packing import Packer
from controlplane.ingestion.domain.rows import EVENT_TIME, ITEM_TOO_LARGE, CheckedRow, Fault, RowReader
from controlplane.ingestion.domain.runs import Counts
from controlplane.ingestion.models import IngestionRun, LaneState
from controlplane.ingestion.services.lanes import ensure_lane, reserve_positions
from controlplane.ingestion.services.minutes import add_counts, current_minute
from controlplane.ingestion.services.refusing import Refusal, as_payload, hold_stored, record_refusals
from controlplane.ingestion.services.store import NO_RUN, ensure_layout, online_store, refuse_read_only
from controlplane.ingestion.services.touching import touch_keys
from controlplane.kernel import clock
from controlplane.kernel.errors import FieldError, Refused
from controlplane.kernel.metrics import REGISTRY
from controlplane.registry import selectors as registry
from controlplane.registry.domain.records import ViewRecord
from store_adapters import Lane, RowWrite, Store, WriteResult

MAX_ROWS = 10_000
Document = Mapping[str, object]

DIRECT_ROWS = Counter(
    "freshline_direct_rows",
    "Rows of direct requests by what became of them.",
    ["project", "view", "result"],
    registry=REGISTRY,
)


@dataclass(frozen=True, slots=True)
class RefusedResult:
    """A refused row: its place in ``rows`` (then ``deletes``), the field, a code, a sentence."""

    index: int
    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class DirectAnswer:
    """What became of the rows of one request; ``results`` has one word for each row, in order."""

    written: int
    older: int
    unchanged: int
    refused: tuple[RefusedResult, ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Given:
    """A row of the request after its checks."""

    index: int
    document: Document
    row: CheckedRow
    is_delete: bool


def _at_once(work: Callable[[], None]) -> None:
    work()


def write_rows(
    project: str,
    view: str,
    *,
    rows: Sequence[object],
    deletes: Sequence[object] = (),
    received_at: datetime,
    now: datetime,
    at_the_end: Callable[[Callable[[], None]], None] = _at_once,
) -> DirectAnswer:
    """Check and write the rows and deletes of one request.

    ``received_at`` stands for absent event times: the same at every try of one Idempotency-Key. Writing twice
    changes nothing in the store; counting twice would, so that is left to ``at_the_end``. ``Refused`` with
    ``all_refused`` when no row could be taken.
    """
    record = _open_lane(project, view)
    if len(rows) + len(deletes) > MAX_ROWS:
        raise Refused("too_large", f"at most {MAX_ROWS} rows and deletes in one request")
    store = online_store(record.store)
    state = ensure_lane(record, Lane.DIRECT, store=store, now=now)
    given = _check(record, rows, deletes, received_at=received_at)
    run = current_minute(record, state, now=now)
    first = reserve_positions(state, max(len(given), 1), now=now)
    given, refusals, results = _write(record, run, given, first=first, store=store, now=now)
    answer = _answer(given, results)
    at_the_end(lambda: _count(run, answer, given, refusals, now=now))
    if given and len(answer.refused) == len(given):
        raise Refused(
            "all_refused", f"all {len(given)} rows were refused", errors=_field_errors(answer, rows)
        )
    return answer


def _count(
    run: IngestionRun,
    answer: DirectAnswer,
    given: Sequence[_Given],
    refusals: Sequence[Refusal],
    *,
    now: datetime,
) -> None:
    record_refusals(run, refusals, now=now)
    add_counts(run, _counts(answer, given))
    for result in ("written", "older", "unchanged"):
        DIRECT_ROWS.labels(run.project, run.view, result).inc(getattr(answer, result))


def _open_lane(project: str, view: str) -> ViewRecord:
    record = registry.find_view(project, view)
    refuse_read_only(record.store)
    if record.view.direct is None:
        raise Refused(
            "lane_not_declared", f"feature view {view!r} takes no direct rows; declare direct: true"
        )
    return record


def _check(
    record: ViewRecord, rows: Sequence[object], deletes: Sequence[object], *, received_at: datetime
) -> list[_Given]:
    reader = RowReader(join_keys=record.join_keys, features=record.view.features)
    received_us = clock.to_us(received_at)
    documents = [(raw, False) for raw in rows] + [(raw, True) for raw in deletes]
    return [
        _check_one(reader, index, raw, is_delete=is_delete, received_us=received_us)
        for index, (raw, is_delete) in enumerate(documents)
    ]


def _check_one(reader: RowReader, index: int, raw: object, *, is_delete: bool, received_us: int) -> _Given:
    if not isinstance(raw, Mapping):
        fault = Fault("", "bad_value", "a row is an object with join keys and features")
        return _Given(index, {"": raw}, CheckedRow(None, None, (), fault), is_delete)
    row = reader.read(
        raw,
        event_time=raw.get(EVENT_TIME),
        default_event_time_us=received_us,
        is_delete=is_delete,
    )
    unknown = reader.unknown_fields(raw)
    if unknown and row.fault is None:
        fault = Fault(unknown[0], "unknown_field", f"{unknown[0]!r} is no join key or feature of this view")
        row = CheckedRow(row.key, row.event_time_us, row.values, fault)
    return _Given(index, raw, row, is_delete)


def _write(
    record: ViewRecord,
    run: IngestionRun,
    given: Sequence[_Given],
    *,
    first: int,
    store: Store,
    now: datetime,
) -> tuple[list[_Given], list[Refusal], dict[int, WriteResult]]:
    """Return what was given, with what the store could not hold now refused; the refusals; the results."""
    assert run.run_number is not None
    packer = Packer(Lane.DIRECT, record.layout, run.run_number, record.view.expire_after)
    good = [item for item in given if item.row.fault is None]
    writes = [_pack(packer, item, position=first + item.index, now=now) for item in good]
    if writes:
        ensure_layout(store, record, record.layout)
    touched = [item.row.key for item in given if item.row.key is not None]
    touch_keys(record, touched, now=now)
    found = store.write_rows(record.project, record.name, writes, run_number=NO_RUN)
    results = {item.index: result for item, result in zip(good, found, strict=True)}
    judged = [
        replace(item, row=replace(item.row, fault=ITEM_TOO_LARGE))
        if results.get(item.index) is WriteResult.TOO_LARGE
        else item
        for item in given
    ]
    refusals = [_refusal(run, item, first + item.index) for item in judged if item.row.fault]
    # After the good rows: one of them may be what a refused one of the same request would have replaced.
    held = hold_stored(record, packer, refusals, store=store, now=now)
    if held:
        store.write_rows(record.project, record.name, held, run_number=NO_RUN)
    return judged, refusals, results


def _pack(packer: Packer, item: _Given, *, position: int, now: datetime) -> RowWrite:
    assert item.row.key is not None and item.row.event_time_us is not None
    now_us = clock.to_us(now)
    if item.is_delete:
        return packer.pack_tombstone(
            item.row.key, event_time_us=item.row.event_time_us, position=position, now_us=now_us
        )
    return packer.pack(
        item.row.key,
        item.row.values,
        event_time_us=item.row.event_time_us,
        position=position,
        now_us=now_us,
    )


def _refusal(run: IngestionRun, item: _Given, position: int) -> Refusal:
    assert item.row.fault is not None
    return Refusal(
        position=str(position),
        fault=item.row.fault,
        payload=as_payload({"delete": item.is_delete, "row": dict(item.document)}),
        key=item.row.key,
        event_time_us=item.row.event_time_us,
        order=position,
    )


def _answer(given: Sequence[_Given], results: Mapping[int, WriteResult]) -> DirectAnswer:
    words = tuple("refused" if item.row.fault else str(results[item.index]) for item in given)
    refused = tuple(
        RefusedResult(item.index, item.row.fault.field, item.row.fault.code, item.row.fault.message)
        for item in given
        if item.row.fault is not None
    )
    return DirectAnswer(
        written=words.count(WriteResult.WRITTEN),
        older=words.count(WriteResult.OLDER),
        unchanged=words.count(WriteResult.UNCHANGED),
        refused=refused,
        results=words,
    )


def _counts(answer: DirectAnswer, given: Sequence[_Given]) -> Counts:
    removed = sum(1 for item in given if item.is_delete and answer.results[item.index] == "written")
    return Counts(
        read=len(given),
        changed=answer.written - removed,
        removed=removed,
        unchanged=answer.unchanged,
        written=answer.written,
        older=answer.older,
        refused=len(answer.refused),
    )


def _field_errors(answer: DirectAnswer, rows: Sequence[object]) -> list[FieldError]:
    def path(result: RefusedResult) -> str:
        within = result.index < len(rows)
        place = f"rows[{result.index}]" if within else f"deletes[{result.index - len(rows)}]"
        return f"{place}.{result.field}" if result.field else place

    return [FieldError(path(result), result.code, result.message) for result in answer.refused]


def state_of(project: str, view: str, *, now: datetime) -> tuple[ViewRecord, LaneState]:
    """Return a view that takes direct rows, and what its direct lane remembers."""
    record = _open_lane(project, view)
    return record, ensure_lane(record, Lane.DIRECT, store=online_store(record.store), now=now)
