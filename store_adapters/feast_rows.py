"""Feast's values of one row, packed as a row of ours, so that whoever reads rows need not know of Feast."""

import threading
from collections.abc import Mapping
from enum import Enum

from controlplane.kernel.dtypes import Dtype, Value
from store_adapters.errors import CorruptValue
from store_adapters.feast_values import Mistyped, decode_value
from store_adapters.model import Column, Lane, Layout, Row
from store_adapters.row_codec import encode_row

# The numbers of layouts that are made here; the registry's are far below.
_FIRST_VARIANT = 1 << 31
_MAX_VARIANTS = 1024
# Fails the checksum that every reader looks at: its values are invalid, and it is counted as corrupt.
DAMAGED = b"\0"


class _Absent(Enum):
    """A feature of which nothing is stored, not even a null."""

    VALUE = "absent"


class Packer:
    """Packs rows; remembers the layouts that it had to make. Shared by threads.

    What is not as the layout says is told by a variant of it: a value of another type than its feature's by a
    column of a dtype that no reader takes for the feature's, a feature that was never stored by no column.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_columns: dict[tuple[Column, ...], Layout] = {}
        self._by_number: dict[int, Layout] = {}

    def layout(self, number: int) -> Layout | None:
        """Return a layout that was made here."""
        return self._by_number.get(number)

    def pack(self, layout: Layout, event_time_us: int, stored: Mapping[str, bytes]) -> bytes:
        """Return the row of an event time and of what Feast stored by feature; ``DAMAGED`` for other bytes.

        Features that the layout has not are left out.
        """
        try:
            read = [
                decode_value(stored[column.name], column.dtype) if column.name in stored else _Absent.VALUE
                for column in layout.columns
            ]
        except CorruptValue:
            return DAMAGED
        values: list[Value] = []
        columns: list[Column] = []
        for column, value in zip(layout.columns, read, strict=True):
            if isinstance(value, Mistyped):
                columns.append(Column(column.name, _other_than(column.dtype)))
                values.append(_placeholder(columns[-1]))
            elif not isinstance(value, _Absent):
                columns.append(column)
                values.append(value)
        if tuple(columns) != layout.columns:
            made = self._variant(tuple(columns))
            if made is None:
                return DAMAGED
            layout = made
        row = Row(event_time_us, Lane.BATCH, 0, layout.number, event_time_us, 0, tuple(values))
        return encode_row(row, layout)

    def _variant(self, columns: tuple[Column, ...]) -> Layout | None:
        with self._lock:
            known = self._by_columns.get(columns)
            if known is None and len(self._by_columns) < _MAX_VARIANTS:
                known = Layout(_FIRST_VARIANT + len(self._by_columns), columns)
                self._by_columns[columns] = self._by_number[known.number] = known
            return known


def _other_than(dtype: Dtype) -> Dtype:
    return Dtype.INT32 if dtype is Dtype.BOOL else Dtype.BOOL


def _placeholder(column: Column) -> Value:
    return 0 if column.dtype is Dtype.INT32 else False
