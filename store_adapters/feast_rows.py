"""Feast's values of one row, packed as a row of ours, so that whoever reads rows need not know of Feast."""

from collections.abc import Sequence

from controlplane.kernel.dtypes import Dtype, Value
from store_adapters.feast_values import Mistyped, decode_time, decode_value
from store_adapters.model import Column, Lane, Layout, Row
from store_adapters.protobuf import CorruptMessage
from store_adapters.row_codec import encode_row

# The numbers of layouts that are made here; the registry's are far below.
_FIRST_VARIANT = 1 << 31
_MAX_VARIANTS = 1024
# Fails the checksum that every reader looks at: its values are invalid, and it is counted as corrupt.
DAMAGED = b"\0"


class Packer:
    """Packs rows; remembers the layouts that it had to make.

    A value of another type than its feature's is told by a variant of the layout, in which the column has a
    dtype that no reader takes for the feature's.
    """

    def __init__(self) -> None:
        self._by_columns: dict[tuple[Column, ...], Layout] = {}
        self._by_number: dict[int, Layout] = {}

    def layout(self, number: int) -> Layout | None:
        """Return a layout that was made here."""
        return self._by_number.get(number)

    def pack(self, layout: Layout, time: bytes | None, fields: Sequence[bytes | None]) -> bytes | None:
        """Return the row of an event time and the values of the layout's columns, as Feast stored them.

        None when nothing is stored at all; ``DAMAGED`` for bytes that are not Feast's.
        """
        if time is None:
            return None if all(field is None for field in fields) else DAMAGED
        try:
            event_time_us = decode_time(time)
            values = [
                None if field is None else decode_value(field, column.dtype)
                for column, field in zip(layout.columns, fields, strict=True)
            ]
        except CorruptMessage:
            return DAMAGED
        kept: tuple[Value, ...] = tuple(
            _placeholder(column) if value is Mistyped.VALUE else value
            for column, value in zip(layout.columns, values, strict=True)
        )
        if Mistyped.VALUE in [value for value in values if isinstance(value, Mistyped)]:
            made = self._variant(layout, [value is Mistyped.VALUE for value in values])
            if made is None:
                return DAMAGED
            layout = made
        row = Row(event_time_us, Lane.BATCH, 0, layout.number, event_time_us, 0, kept)
        return encode_row(row, layout)

    def _variant(self, layout: Layout, wrong: Sequence[bool]) -> Layout | None:
        columns = tuple(
            Column(column.name, _other_than(column.dtype)) if is_wrong else column
            for column, is_wrong in zip(layout.columns, wrong, strict=True)
        )
        known = self._by_columns.get(columns)
        if known is None and len(self._by_columns) < _MAX_VARIANTS:
            known = Layout(_FIRST_VARIANT + len(self._by_columns), columns)
            self._by_columns[columns] = self._by_number[known.number] = known
        return known


def _other_than(dtype: Dtype) -> Dtype:
    return Dtype.INT32 if dtype is Dtype.BOOL else Dtype.BOOL


def _placeholder(column: Column) -> Value:
    return 0 if column.dtype is Dtype.BOOL else False
