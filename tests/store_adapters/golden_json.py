"""Rows and keys as JSON, in the shape that the golden files share with the Go tests."""

import base64
import json
import math

from controlplane.kernel.dtypes import Dtype, Value
from store_adapters import Column, KeyValue, Lane, Layout, Row

_NAMES = {math.inf: "Infinity", -math.inf: "-Infinity"}


def dump_value(value: Value) -> object:
    if isinstance(value, list):
        return [dump_value(element) for element in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return _NAMES.get(value, "NaN")
    return value


def load_value(raw: object, dtype: Dtype) -> Value:
    if isinstance(raw, list):
        return [load_value(element, dtype.element) for element in raw]  # type: ignore[misc]
    if raw is not None and dtype is Dtype.BYTES:
        return base64.b64decode(raw)  # type: ignore[arg-type]
    if raw is not None and dtype.is_float:
        return float(raw)  # type: ignore[arg-type]
    return raw  # type: ignore[return-value]


def dump_layout(layout: Layout) -> dict[str, object]:
    columns = [{"name": column.name, "dtype": column.dtype.value} for column in layout.columns]
    return {"number": layout.number, "columns": columns}


def load_layout(raw: dict) -> Layout:
    return Layout(raw["number"], tuple(Column(c["name"], Dtype(c["dtype"])) for c in raw["columns"]))


def dump_row(row: Row) -> dict[str, object]:
    return {
        "event_time_us": row.event_time_us,
        "lane": row.lane.value,
        "position": row.position,
        "layout_number": row.layout_number,
        "write_time_us": row.write_time_us,
        "run_number": row.run_number,
        "tombstone": row.tombstone,
        "held": row.held,
        "clamped": row.clamped,
        "values": [dump_value(value) for value in row.values],
    }


def load_row(raw: dict, layout: Layout) -> Row:
    values = tuple(
        load_value(value, column.dtype) for value, column in zip(raw["values"], layout.columns, strict=True)
    )
    return Row(**{**raw, "lane": Lane(raw["lane"]), "values": values})


def dump_key(join_keys: list[tuple[str, Dtype, KeyValue]]) -> list[dict[str, object]]:
    return [
        {"name": name, "dtype": dtype.value, "value": dump_value(value)} for name, dtype, value in join_keys
    ]


def load_key(raw: list[dict]) -> list[tuple[str, Dtype, KeyValue]]:
    return [
        (entry["name"], Dtype(entry["dtype"]), load_value(entry["value"], Dtype(entry["dtype"])))  # type: ignore[misc]
        for entry in raw
    ]


def write(path: object, cases: list[dict]) -> None:
    """One case a line, so that a diff shows which changed."""
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    path.write_text(f"[\n{lines}\n]\n")  # type: ignore[attr-defined]
