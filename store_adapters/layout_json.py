"""Layouts as the store keeps them: canonical JSON, read by serving when a row names one it does not know."""

import json

from controlplane.kernel.dtypes import Dtype
from store_adapters.model import Column, Layout


def dump_columns(layout: Layout) -> str:
    """Return ``[{"dtype":"float64","name":"x"},...]``: sorted keys, no spaces."""
    columns = [{"dtype": column.dtype.value, "name": column.name} for column in layout.columns]
    return json.dumps(columns, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def load_columns(number: int, text: str | bytes) -> Layout:
    """Return the layout, or raise ``ValueError`` if the text is no such JSON."""
    raw = json.loads(text)
    if not isinstance(raw, list):
        raise ValueError("not a list of columns")
    try:
        columns = [Column(str(entry["name"]), Dtype(entry["dtype"])) for entry in raw]
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a list of columns: {error}") from error
    return Layout(number, tuple(columns))
