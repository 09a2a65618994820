"""Refused rows: kept with their reason, once for each place in the input."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Counter

from controlplane.ingestion.domain.packing import Packer
from controlplane.ingestion.domain.rows import Fault
from controlplane.ingestion.models import IngestionRun, RefusedRow
from controlplane.kernel import clock
from controlplane.kernel.metrics import REGISTRY
from controlplane.kernel.text import storable
from controlplane.registry.domain.records import ViewRecord
from store_adapters import RowWrite, Store

MAX_PAYLOAD = 16_384
MAX_MESSAGE = 500

REFUSED_ROWS = Counter(
    "freshline_refused_rows",
    "Rows that broke the contract on their way in.",
    ["project", "view", "lane", "code"],
    registry=REGISTRY,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused row. ``key`` is there when it could be read; ``position`` names its place in the input."""

    position: str
    fault: Fault
    payload: str
    key: bytes | None = None
    event_time_us: int | None = None
    order: int = 0  # the position in the lane's order, for the held row and for a redrive
    is_flat: bool = False


def record_refusals(run: IngestionRun, refusals: Iterable[Refusal], *, now: datetime) -> None:
    """Keep refused rows. The same place in the input again is the same row, and is counted once."""
    rows = [_row(run, refusal, now=now) for refusal in refusals]
    for row in rows:
        REFUSED_ROWS.labels(run.project, run.view, run.lane, row.code).inc()
    RefusedRow.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["view_id", "lane", "position"],
        update_fields=["field", "code", "message", "payload", "is_cut"],
    )


def hold_stored(
    record: ViewRecord, packer: Packer, refusals: Sequence[Refusal], *, store: Store, now: datetime
) -> list[RowWrite]:
    """Return the writes that mark the stored rows of refused keys as held, the last refusal of a key wins."""
    by_key = {refusal.key: refusal for refusal in refusals if refusal.key is not None}
    keys = [key for key in by_key if key is not None]
    if not keys:
        return []
    stored = store.read_rows(record.project, record.name, keys)
    writes = [
        packer.pack_held(
            key,
            row,
            layouts=dict(record.layouts),
            position=by_key[key].order,
            refused_event_time_us=by_key[key].event_time_us,
            now_us=clock.to_us(now),
        )
        for key, row in zip(keys, stored, strict=True)
    ]
    return [write for write in writes if write is not None]


def as_payload(document: object) -> str:
    """Return what is kept of a row that came as JSON. What no text can hold stays escaped, as it came."""
    spelled = json.dumps(document, ensure_ascii=False, default=str)
    return spelled.encode("utf-8", "backslashreplace").decode()


def _row(run: IngestionRun, refusal: Refusal, *, now: datetime) -> RefusedRow:
    payload = storable(refusal.payload)
    return RefusedRow(
        run=run,
        project=run.project,
        view_id=run.view_id,
        view=run.view,
        lane=run.lane,
        position=refusal.position,
        order=refusal.order,
        is_flat=refusal.is_flat,
        field=refusal.fault.field[:63],
        code=refusal.fault.code,
        message=refusal.fault.message[:MAX_MESSAGE],
        payload=payload[:MAX_PAYLOAD],
        is_cut=len(payload) > MAX_PAYLOAD,
        received_at=now,
    )
