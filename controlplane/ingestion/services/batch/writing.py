"""Writing a frozen plan shard by shard, by whoever holds the run; and reading a sample of it back."""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction
from django.db.models import F

from controlplane.ingestion.domain.runs import Phase
from controlplane.ingestion.engines.jobs import EVERYTHING, SAMPLE
from controlplane.ingestion.models import LaneState
from controlplane.ingestion.services.batch.checking import WRITES
from controlplane.ingestion.services.batch.unwritten import (
    counts_less,
    give_up,
    keep_unwritten,
    raise_unheld,
    read_unwritten,
)
from controlplane.ingestion.services.batch.work import Work
from controlplane.ingestion.services.store import ensure_layout
from controlplane.ingestion.services.touching import add_touched
from controlplane.kernel import clock
from store_adapters import (
    CorruptRow,
    KeyCodec,
    Lane,
    Layout,
    RowWrite,
    WriteResult,
    decode_header,
    order_key,
    same_content,
)
from store_adapters.row_header import CLAMPED

SAMPLE_SIZE = 200


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Keys whose stored row is not what it must be, with their partitions; ``of`` were looked at."""

    keys: tuple[bytes, ...]
    partitions: tuple[int, ...]
    of: int


def write_plan(work: Work, plan: Path, *, layout: Layout) -> None:
    """Write the shards that are not done. A shard that was half done gives the same results again."""
    ensure_layout(work.store, work.record, layout)
    _mark_dirty(work)
    with pq.ParquetFile(plan / WRITES) as file:
        for shard in range(work.run.shards_done, file.num_row_groups):
            planned = file.read_row_group(shard)
            results = _write_shard(work, plan, shard, planned)
            unwritten = read_unwritten(plan, shard=shard).values()
            if unwritten:
                keep_unwritten(work, planned, unwritten, layout)
            older = [write.key for write, result in results if result is WriteResult.OLDER]
            # The stored row is another lane's: until a run has looked again, no digest speaks for it.
            add_touched(work.record.id, older, touched_us=clock.now_us())
            work.beat(
                shards_done=shard + 1,
                progress_done=F("progress_done") + planned.num_rows,
                written=F("written") + sum(result is WriteResult.WRITTEN for _, result in results),
                older=F("older") + len(older),
                **counts_less(unwritten),
            )
    work.enter(Phase.VERIFY)


def verify_plan(work: Work, plan: Path, *, layout: Layout) -> Mismatch | None:
    """Read back at least 200 changed and 200 unchanged keys, or all when fewer; None when all are right."""
    changed = _sample_of_writes(plan, seed=work.run_number)
    unchanged = _expected_unchanged(work, plan / SAMPLE, layout)
    wrong = [
        *_differing(work, changed, is_right=_is_written),
        *_differing(work, unchanged, is_right=_is_unchanged),
    ]
    if not wrong:
        return None
    return Mismatch(
        keys=tuple(write.key for write, _ in wrong),
        partitions=tuple(sorted({part for _, part in wrong})),
        of=len(changed) + len(unchanged),
    )


def order_repair(work: Work, mismatch: Mismatch) -> None:
    """Let the next run rewrite what differs: its partitions, or everything when it is that widespread."""
    widespread = len(mismatch.keys) * 4 > mismatch.of and len(mismatch.keys) > 1
    repair: list[int | str] = [EVERYTHING] if widespread else list(mismatch.partitions)
    LaneState.objects.filter(pk=work.state.pk).update(repair=repair)


def _write_shard(work: Work, plan: Path, shard: int, planned: pa.Table) -> list[tuple[RowWrite, WriteResult]]:
    """Write a shard but the rows that there is no room for; what they would have replaced is held instead."""
    given_up = {key for _, key in read_unwritten(plan, shard=shard)}
    results = _put(work, [write for write in _writes(planned) if write.key not in given_up])
    full = {write.key for write, result in results if result is WriteResult.TOO_LARGE}
    if full:
        give_up(work, plan, shard, planned, full)
    unwritten = read_unwritten(plan, shard=shard).values() if full or given_up else ()
    held = _put(work, [each.held for each in unwritten if each.held is not None])
    if any(result is WriteResult.TOO_LARGE for _, result in held):
        raise_unheld()
    return [each for each in results if each[0].key not in full] + held


def _put(work: Work, writes: Sequence[RowWrite]) -> list[tuple[RowWrite, WriteResult]]:
    """Write rows. A held row and a tombstone take the place of a row that is no smaller, so that only their
    expiry may lack room: they are written without it then, and stay for good.
    """
    if not writes:
        return []
    record = work.record
    results = work.store.write_rows(record.project, record.name, writes, run_number=work.run_number)
    lean = {
        place: replace(writes[place], expire_at_us=None)
        for place, result in enumerate(results)
        if result is WriteResult.TOO_LARGE and _takes_no_room(writes[place])
    }
    if lean:
        again = work.store.write_rows(
            record.project, record.name, list(lean.values()), run_number=work.run_number
        )
        for place, result in zip(lean, again, strict=True):
            results[place] = result
    return list(zip(writes, results, strict=True))


def _takes_no_room(write: RowWrite) -> bool:
    header = decode_header(write.row)
    return write.expire_at_us is not None and (header.held or header.tombstone)


def _mark_dirty(work: Work) -> None:
    """From now on, and until the manifest is committed, the store may hold rows that no manifest knows of."""
    with transaction.atomic():
        state = LaneState.objects.select_for_update().get(pk=work.state.pk)
        if work.run.plan not in state.dirty_plans:
            LaneState.objects.filter(pk=state.pk).update(dirty_plans=[*state.dirty_plans, work.run.plan])


def _differing(
    work: Work, expected: Sequence[tuple[RowWrite, int]], *, is_right: Callable[[bytes, bytes], bool]
) -> list[tuple[RowWrite, int]]:
    if not expected:
        return []
    stored = work.store.read_rows(work.record.project, work.record.name, [write.key for write, _ in expected])
    return [
        (write, part)
        for (write, part), row in zip(expected, stored, strict=True)
        if row is None or not is_right(write.row, row)
    ]


def _is_written(expected: bytes, stored: bytes) -> bool:
    """Whether a written key is right: it tells the same, or another lane's row came out on top."""
    if same_content(expected, stored) and _is_sound(stored):
        return True
    return order_key(stored) > order_key(expected) and _is_of_another_lane(stored)


def _is_unchanged(expected: bytes, stored: bytes) -> bool:
    """Whether an unchanged key is right. Which run wrote it does not matter, so lanes decide ties.

    Nor does whether its event time was once clamped: the manifest has the clamped time alone.
    """
    plain = stored[:17] + bytes([stored[17] & ~CLAMPED]) + stored[18:]
    if same_content(expected, plain) and _is_sound(stored):
        return True
    return stored[:8] >= expected[:8] and _is_of_another_lane(stored)


def _is_sound(stored: bytes) -> bool:
    try:
        decode_header(stored)
    except CorruptRow:
        return False
    return True


def _is_of_another_lane(stored: bytes) -> bool:
    try:
        return decode_header(stored).lane is not Lane.BATCH
    except CorruptRow:
        return False


def _sample_of_writes(plan: Path, *, seed: int) -> list[tuple[RowWrite, int]]:
    """Return 200 writes from all over the plan, or all when fewer; and so many of those that hold a row which
    a refused one was to replace.
    """
    chance = random.Random(seed)  # noqa: S311 - which keys are looked at is no secret
    unwritten = read_unwritten(plan)
    held = [(each.held, each.part) for each in unwritten.values() if each.held is not None]
    found = chance.sample(held, min(SAMPLE_SIZE, len(held)))
    not_there = {(shard, each.place) for (shard, _), each in unwritten.items()}
    with pq.ParquetFile(plan / WRITES) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        there = _places(sizes, but=not_there)
        wanted = sorted(chance.sample(there, min(SAMPLE_SIZE, len(there))))
        start = 0
        for group, rows in enumerate(sizes):
            places = [place - start for place in wanted if start <= place < start + rows]
            if places:
                table = file.read_row_group(group).take(pa.array(places))
                found += zip(_writes(table), table.column("part").to_pylist(), strict=True)
            start += rows
    return found


def _places(sizes: Sequence[int], *, but: Collection[tuple[int, int]]) -> Sequence[int]:
    """Return the places of a plan's rows, counted through its shards, without those of ``but``."""
    everything = range(sum(sizes))
    if not but:
        return everything
    starts = [0, *accumulate(sizes)]
    left_out = {starts[shard] + place for shard, place in but}
    return [place for place in everything if place not in left_out]


def _expected_unchanged(work: Work, path: Path, layout: Layout) -> list[tuple[RowWrite, int]]:
    table = pq.read_table(path)
    codec = KeyCodec((key.name, key.dtype) for key in work.record.join_keys)
    packer = work.packer(layout)
    now_us = clock.now_us()
    expected = []
    for row in table.to_pylist():
        write = packer.pack(
            codec.encode([row[key.name] for key in work.record.join_keys]),
            tuple(row[column.name] for column in layout.columns),
            event_time_us=row["old_event_us"],
            position=0,
            now_us=now_us,
        )
        expected.append((write, row["part"]))
    return expected


def _writes(table: pa.Table) -> list[RowWrite]:
    keys, rows, expiries = (table.column(name).to_pylist() for name in ("key", "row", "expire_us"))
    return [RowWrite(key, row, expires) for key, row, expires in zip(keys, rows, expiries, strict=True)]
