"""The second step: changed rows are held against the contract, and packed as the store will get them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from controlplane.contracts.model import Feature
from controlplane.ingestion.domain.changes import Change
from controlplane.ingestion.domain.column_checks import is_surely_good
from controlplane.ingestion.domain.rows import EVENT_TIME, Fault, judge_value
from controlplane.ingestion.domain.runs import Counts
from controlplane.ingestion.engines.jobs import DELTA, KEYLESS, REFUSED
from controlplane.ingestion.services.batch.reading import KEYS_OF_PLAN
from controlplane.ingestion.services.batch.refusing import (
    MAX_KEPT_REFUSALS,
    describe_row,
    hold_keys,
    refuse_row,
)
from controlplane.ingestion.services.batch.work import Work
from controlplane.ingestion.services.refusing import Refusal, record_refusals
from controlplane.kernel import clock
from controlplane.kernel.dtypes import Value
from store_adapters import CorruptRow, KeyCodec, KeyValue, Lane, RowHeader, RowWrite, decode_header

WRITES = "writes.parquet"
SHARD_ROWS = 5_000
HELD = "held"  # instead of a change: the stored row again, because an update of it was refused
# ``old_...`` is what the manifest knew of a key: that stands where the store has no room for the row.
WRITES_SCHEMA = pa.schema(
    [
        ("key", pa.binary()),
        ("row", pa.binary()),
        ("expire_us", pa.int64()),
        ("part", pa.int16()),
        ("change", pa.string()),
        ("old_event_us", pa.int64()),
        ("old_written_us", pa.int64()),
        ("old_removed", pa.bool_()),
    ]
)


@dataclass(slots=True)
class Checked:
    """What the delta came to. ``kept`` are the first refusals, kept with their payloads."""

    counts: Counts = field(default_factory=Counts)
    refreshed: int = 0
    writes: int = 0
    bytes: int = 0
    kept: list[Refusal] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    """One record batch of the delta in Python's terms."""

    keys: list[tuple[KeyValue, ...]]
    columns: list[list[Value]]
    changes: list[str]
    old_event_us: list[int | None]
    old_written_us: list[int | None]
    old_removed: list[bool | None]
    out_event_us: list[int | None]
    bad: list[str | None]
    bad_text: list[str | None]
    part: list[int]
    doubtful: list[tuple[int, Feature]]  # columns that must be looked at value by value


class _Packed(NamedTuple):
    """A write, the place of its key in the batch, and the change that it makes."""

    write: RowWrite
    place: int
    change: str


def check_and_pack(work: Work, folder: Path, *, looks_at_store: bool, now_us: int) -> Checked:
    """Turn DELTA into WRITES, KEYS_OF_PLAN and REFUSED; all packed with the one write time ``now_us``."""
    checked = Checked()
    codec = KeyCodec((key.name, key.dtype) for key in work.record.join_keys)
    key_names = [key.name for key in work.record.join_keys]
    source = pq.ParquetFile(folder / DELTA)
    key_schema = pa.schema([source.schema_arrow.field(name) for name in key_names])
    with (
        pq.ParquetWriter(folder / WRITES, WRITES_SCHEMA, compression="lz4") as writes,
        pq.ParquetWriter(folder / KEYS_OF_PLAN, key_schema) as all_keys,
        pq.ParquetWriter(folder / REFUSED, key_schema) as refused_keys,
    ):
        for record_batch in source.iter_batches(SHARD_ROWS):
            all_keys.write_batch(record_batch.select(key_names))
            batch = _in_python(work, record_batch)
            packed, refused = _pack_batch(
                work, batch, codec, checked, looks_at_store=looks_at_store, now_us=now_us
            )
            refused_keys.write_batch(record_batch.select(key_names).take(pa.array(refused, pa.int64())))
            if packed:
                writes.write_table(_table(batch, packed))
                checked.writes += len(packed)
                checked.bytes += sum(len(each.write.row) for each in packed)
            work.beat_if_due()
    _count_keyless(work, folder, checked)
    return checked


def keep_refusals(work: Work, checked: Checked) -> None:
    """Keep the refused rows of the run where people see them; more than 1,000 are only counted."""
    record_refusals(work.run, checked.kept, now=clock.now())


def _pack_batch(
    work: Work, batch: _Batch, codec: KeyCodec, checked: Checked, *, looks_at_store: bool, now_us: int
) -> tuple[list[_Packed], list[int]]:
    """Return the writes, and the places of refused rows."""
    keys = [codec.encode(values) for values in batch.keys]
    stored = _stored_headers(work, keys) if looks_at_store else [None] * len(keys)
    packer = work.packer(work.record.layout)
    packed: list[_Packed] = []
    refused: list[int] = []
    counts = dict.fromkeys(Change, 0)
    for place, key in enumerate(keys):
        change = Change(batch.changes[place])
        if change is Change.REMOVED:
            event_us = _later(batch.old_event_us[place], stored[place])
            if looks_at_store and not _is_ours(batch.old_event_us[place], stored[place]):
                continue
            write = packer.pack_tombstone(
                key, event_time_us=event_us, position=work.run_number, now_us=now_us
            )
        else:
            fault = _fault_of(work, batch, place)
            if fault is not None:
                refused.append(place)
                _keep(work, checked, batch, place, fault)
                continue
            event_us = _later(batch.out_event_us[place], stored[place])
            values = tuple(column[place] for column in batch.columns)
            write = packer.pack(key, values, event_time_us=event_us, position=work.run_number, now_us=now_us)
        counts[change] += 1
        packed.append(_Packed(write, place, change))
    held = hold_keys(work, [keys[place] for place in refused], now_us=now_us)
    packed += [
        _Packed(write, place, HELD) for place, write in zip(refused, held, strict=True) if write is not None
    ]
    checked.refreshed += counts[Change.REFRESHED]
    checked.counts += Counts(
        added=counts[Change.ADDED],
        changed=counts[Change.CHANGED],
        removed=counts[Change.REMOVED],
        refused=len(refused),
    )
    return packed, refused


def _fault_of(work: Work, batch: _Batch, place: int) -> Fault | None:
    bad = batch.bad[place]
    if bad is not None:
        text = (batch.bad_text[place] or "null")[:60]
        code = "bad_value" if batch.bad_text[place] is None else "cast_loses"
        return Fault(bad, code, f"{bad}: {text} cannot be stored as declared without loss")
    if batch.out_event_us[place] is None:
        return Fault(EVENT_TIME, "bad_value", "the event time is null")
    for index, feature in batch.doubtful:
        fault = judge_value(feature, batch.columns[index][place])
        if fault is not None:
            return fault
    return None


def _keep(work: Work, checked: Checked, batch: _Batch, place: int, fault: Fault) -> None:
    if len(checked.kept) >= MAX_KEPT_REFUSALS:
        return
    record = work.record
    names = [key.name for key in record.join_keys]
    key = dict(zip(names, batch.keys[place], strict=True))
    row = describe_row(record.layout, key, [column[place] for column in batch.columns])
    if batch.bad[place] is not None:
        row[str(batch.bad[place])] = batch.bad_text[place]
    row[EVENT_TIME] = batch.out_event_us[place]
    checked.kept.append(refuse_row(record, row, fault))


def _count_keyless(work: Work, folder: Path, checked: Checked) -> None:
    """Keep rows without a readable key: nothing can be held for them."""
    table = pq.read_table(folder / KEYLESS)
    names = [key.name for key in work.record.join_keys]
    for place, row in enumerate(table.to_pylist()[: MAX_KEPT_REFUSALS - len(checked.kept)]):
        field_name = next(name for name in names if row[name] is None)
        fault = Fault(field_name, "absent_key", f"join key {field_name!r} is null, or does not fit its type")
        shown = {name: value for name, value in row.items() if not name.startswith("__")}
        payload = json.dumps({"row": shown}, default=_text, ensure_ascii=False)
        checked.kept.append(Refusal(f"{work.run_number}:{place}", fault, payload))


def _in_python(work: Work, batch: pa.RecordBatch) -> _Batch:
    features = work.record.view.features
    by_name = {feature.name: feature for feature in features}
    columns = [batch.column(column.name) for column in work.record.layout.columns]
    doubtful = [
        (index, by_name[column.name])
        for index, column in enumerate(work.record.layout.columns)
        if not is_surely_good(by_name[column.name], columns[index])
    ]
    keys = [batch.column(key.name).to_pylist() for key in work.record.join_keys]
    return _Batch(
        keys=list(zip(*keys, strict=True)),
        columns=[column.to_pylist() for column in columns],
        changes=batch.column("change").to_pylist(),
        old_event_us=batch.column("old_event_us").to_pylist(),
        old_written_us=batch.column("old_written_us").to_pylist(),
        old_removed=batch.column("old_removed").to_pylist(),
        out_event_us=batch.column("out_event_us").to_pylist(),
        bad=batch.column("__bad").to_pylist(),
        bad_text=batch.column("__bad_text").to_pylist(),
        part=batch.column("part").to_pylist(),
        doubtful=doubtful,
    )


def _stored_headers(work: Work, keys: Sequence[bytes]) -> list[RowHeader | None]:
    return [_header(row) for row in work.store.read_rows(work.record.project, work.record.name, keys)]


def _header(row: bytes | None) -> RowHeader | None:
    if row is None:
        return None
    try:
        return decode_header(row)
    except CorruptRow:
        return None


def _later(event_us: int | None, stored: RowHeader | None) -> int:
    """Return the later of what is to be written and what our lane has in the store already."""
    assert event_us is not None
    return max(event_us, stored.event_time_us) if stored and stored.lane is Lane.BATCH else event_us


def _is_ours(old_event_us: int | None, stored: RowHeader | None) -> bool:
    """Whether a key that nobody vouches for is a live row of this lane, which a tombstone must end."""
    if old_event_us is not None and old_event_us > -(2**62):
        return True
    return stored is not None and stored.lane is Lane.BATCH and not stored.tombstone


def _table(batch: _Batch, packed: Sequence[_Packed]) -> pa.Table:
    places = [each.place for each in packed]
    return pa.table(
        {
            "key": [each.write.key for each in packed],
            "row": [each.write.row for each in packed],
            "expire_us": [each.write.expire_at_us for each in packed],
            "part": [batch.part[place] for place in places],
            "change": [each.change for each in packed],
            "old_event_us": [batch.old_event_us[place] for place in places],
            "old_written_us": [batch.old_written_us[place] for place in places],
            "old_removed": [batch.old_removed[place] for place in places],
        },
        schema=WRITES_SCHEMA,
    )


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
