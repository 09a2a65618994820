"""What a refused row of a batch leaves: a row that people see, and a stored row that is held."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.contracts.values import to_json
from controlplane.ingestion.domain.rows import Fault
from controlplane.ingestion.services.batch.work import Work
from controlplane.ingestion.services.refusing import Refusal
from controlplane.kernel.dtypes import Value
from controlplane.registry.domain.records import ViewRecord
from store_adapters import KeyValue, Layout, RowWrite

MAX_KEPT_REFUSALS = 1_000
_LONGEST_POSITION = 100


def describe_row(layout: Layout, key: Mapping[str, KeyValue], values: Sequence[Value]) -> dict[str, Any]:
    """Return a row as people are shown it; ``values`` are in the order of the layout."""
    row: dict[str, Any] = {name: _shown(value) for name, value in key.items()}
    for column, value in zip(layout.columns, values, strict=True):
        row[column.name] = to_json(column.dtype, value)
    return row


def refuse_row(record: ViewRecord, row: Mapping[str, Any], fault: Fault) -> Refusal:
    """Return the refusal of a described row. Its place is its key: the next run's of it is the same one."""
    position = json.dumps([row[key.name] for key in record.join_keys], ensure_ascii=True)
    if len(position) > _LONGEST_POSITION:  # keys that begin alike are not the same
        digest = hashlib.sha256(position.encode()).hexdigest()[:32]
        position = f"{position[: _LONGEST_POSITION - 33]}~{digest}"
    return Refusal(position, fault, json.dumps({"row": row}, ensure_ascii=False))


def hold_keys(work: Work, keys: Sequence[bytes], *, now_us: int) -> list[RowWrite | None]:
    """Return for each refused key the write that holds its stored row; None where nothing is to be held."""
    if not keys:
        return []
    packer = work.packer(work.record.layout)
    layouts = dict(work.record.layouts)
    stored = work.store.read_rows(work.record.project, work.record.name, keys)
    return [
        packer.pack_held(
            key, row, layouts=layouts, position=work.run_number, refused_event_time_us=None, now_us=now_us
        )
        for key, row in zip(keys, stored, strict=True)
    ]


def _shown(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
