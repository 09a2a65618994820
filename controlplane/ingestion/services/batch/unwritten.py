"""Rows of a frozen plan that the store has no room for: refused one by one, and remembered beside the plan.

What was decided once stays: whoever goes on with the plan does not try such a row again, though there be room
by then, and writes the same held rows. The next run tries it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.db.models import F

from controlplane.ingestion.domain.changes import Change
from controlplane.ingestion.domain.rows import EVENT_TIME, ITEM_TOO_LARGE
from controlplane.ingestion.engines.duckdb import rebuild_manifest
from controlplane.ingestion.engines.jobs import NEXT_MANIFEST, AmendJob
from controlplane.ingestion.manifests import sync
from controlplane.ingestion.models import IngestionRun
from controlplane.ingestion.services.batch.checking import HELD
from controlplane.ingestion.services.batch.reading import key_table, limits
from controlplane.ingestion.services.batch.refusing import (
    MAX_KEPT_REFUSALS,
    describe_row,
    hold_keys,
    refuse_row,
)
from controlplane.ingestion.services.batch.work import Work
from controlplane.ingestion.services.refusing import Refusal, record_refusals
from controlplane.kernel import clock
from controlplane.kernel.errors import Refused
from store_adapters import Layout, RowWrite, decode_key, decode_row

_SCHEMA = pa.schema(
    [
        ("key", pa.binary()),
        ("place", pa.int32()),
        ("part", pa.int16()),
        ("change", pa.string()),
        ("old_event_us", pa.int64()),
        ("old_written_us", pa.int64()),
        ("old_removed", pa.bool_()),
        ("bytes", pa.int64()),
        ("held", pa.binary()),
        ("held_expire_us", pa.int64()),
    ]
)
# A refused row of the plan is none of these any more.
_COUNTED_AS = {
    Change.ADDED: "added",
    Change.CHANGED: "changed",
    Change.REMOVED: "removed",
    Change.REFRESHED: "unchanged",
}


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A row without room: the change it was to make, what the manifest knew before, what is held for it."""

    key: bytes
    place: int  # of the row in its shard
    part: int
    change: str
    old_event_us: int | None
    old_written_us: int | None
    old_removed: bool | None
    bytes: int
    held: RowWrite | None


def read_unwritten(plan: Path, *, shard: int | None = None) -> dict[tuple[int, bytes], Unwritten]:
    """Return what was refused of a plan, or of one shard of it, by shard and key."""
    names = plan.glob(f"unwritten-{'*' if shard is None else shard}-*.parquet")
    found: dict[tuple[int, bytes], Unwritten] = {}
    for path in sorted(names):
        of = int(path.name.split("-")[1])
        for row in pq.read_table(path).to_pylist():
            held, expire_us = row.pop("held"), row.pop("held_expire_us")
            write = None if held is None else RowWrite(row["key"], held, expire_us)
            found.setdefault((of, row["key"]), Unwritten(**row, held=write))
    return found


def give_up(work: Work, plan: Path, shard: int, planned: pa.Table, full: set[bytes]) -> None:
    """Decide that the rows of ``full`` are not written, and with what their stored rows are held."""
    work.beat()  # who lost the run decides nothing any more
    places = [place for place, key in enumerate(planned.column("key").to_pylist()) if key in full]
    rows = planned.take(pa.array(places)).to_pylist()
    if any(row["change"] == HELD for row in rows):
        raise_unheld()
    held = hold_keys(work, [row["key"] for row in rows], now_us=clock.now_us())
    table = pa.Table.from_pylist(
        [
            {
                **{name: row[name] for name in _SCHEMA.names if name in row},
                "place": place,
                "bytes": len(row["row"]),
                "held": write.row if write else None,
                "held_expire_us": write.expire_at_us if write else None,
            }
            for place, row, write in zip(places, rows, held, strict=True)
        ],
        schema=_SCHEMA,
    )
    # A name of its own for each holder: none overwrites what another decided.
    made = plan / f".unwritten-{work.claim.fence}"
    pq.write_table(table, made)
    sync(made)
    made.rename(plan / f"unwritten-{shard}-{work.claim.fence}.parquet")
    sync(plan)


def raise_unheld() -> None:
    """End the run: an old value that cannot be held would look verified under the new watermark."""
    raise Refused(ITEM_TOO_LARGE.code, "there is no room to hold the stored row of a refused one")


def keep_unwritten(work: Work, planned: pa.Table, unwritten: Iterable[Unwritten], layout: Layout) -> None:
    """Keep the refused rows of a shard where people see them, up to 1,000 of a run; the rest is counted."""
    refused = IngestionRun.objects.values_list("refused", flat=True).get(pk=work.run.pk)
    some = list(unwritten)[: max(0, MAX_KEPT_REFUSALS - refused)]
    rows = planned.column("row")
    refusals = [_refusal(work, each, rows[each.place].as_py(), layout) for each in some]
    record_refusals(work.run, refusals, now=clock.now())


def counts_less(unwritten: Iterable[Unwritten]) -> dict[str, Any]:
    """Return the counts of the run that change: refused, no more what the plan took them for."""
    by_change = Counter(_COUNTED_AS[Change(each.change)] for each in unwritten)
    fewer = {name: F(name) - number for name, number in by_change.items()}
    return {**fewer, "refused": F("refused") + by_change.total()} if fewer else {}


def facts_less(facts: Mapping[str, Any], unwritten: Iterable[Unwritten]) -> dict[str, Any]:
    """Return a plan's facts as they turned out."""
    rows = list(unwritten)
    held = [each.held for each in rows if each.held is not None]
    return {
        **facts,
        "writes": facts["writes"] - len(rows) + len(held),
        "bytes": facts["bytes"] - sum(each.bytes for each in rows) + sum(len(write.row) for write in held),
        "refreshed": facts["refreshed"] - sum(each.change == Change.REFRESHED for each in rows),
    }


def manifest_of(work: Work, plan: Path, unwritten: Iterable[Unwritten]) -> Path:
    """Return the next manifest: the plan's, or one that knows nothing of rows which were not written."""
    rows = list(unwritten)
    if not rows:
        return plan / NEXT_MANIFEST
    before = key_table(work, [each.key for each in rows])
    before = before.append_column("event_us", pa.array([each.old_event_us for each in rows], pa.int64()))
    before = before.append_column("written_us", pa.array([each.old_written_us for each in rows], pa.int64()))
    before = before.append_column("removed", pa.array([each.old_removed for each in rows], pa.bool_()))
    job = AmendJob(
        join_keys=[key.name for key in work.record.join_keys],
        unwritten=f"before-{work.claim.fence}.parquet",
        amended=f"amended-{work.claim.fence}.parquet",
        limits=limits(),
    )
    pq.write_table(before, plan / job.unwritten)
    rebuild_manifest(plan, job, timeout=settings.FRESHLINE_BATCH_TIMEOUT, beat=work.beat_if_due)
    return plan / job.amended


def _refusal(work: Work, unwritten: Unwritten, row: bytes, layout: Layout) -> Refusal:
    decoded = decode_row(row, layout)
    parts = {name: value for name, _, value in decode_key(unwritten.key)}
    key = {key.name: parts[key.name] for key in work.record.join_keys}
    shown = describe_row(layout, key, layout.nulls if decoded.tombstone else decoded.values)
    shown[EVENT_TIME] = decoded.event_time_us
    return refuse_row(work.record, shown, ITEM_TOO_LARGE)
