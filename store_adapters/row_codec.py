"""Rows of one layout to bytes and back (version 1; the header is in row_header).

After the header: null bitmap (bit i, least significant first, is column i), fixed columns in layout order,
unpadded, zeros where null; then a u32 end offset per variable column, counted from where their data begins;
then that data; then the checksum.
"""

import struct
from functools import lru_cache

from controlplane.kernel.dtypes import Dtype, Value
from controlplane.kernel.errors import Refused
from store_adapters.errors import CorruptRow
from store_adapters.model import Layout, Row
from store_adapters.row_floats import NAN, canonical32
from store_adapters.row_header import (
    CHECKSUM_SIZE,
    CLAMPED,
    HEADER_SIZE,
    HELD,
    LANE_CODES,
    POSITIONS,
    SIGN,
    TOMBSTONE,
    VERSION,
    checksum,
    decode_header,
)
from store_adapters.row_variable import FORMATS, PYTHON, convert, decode_variable, encode_variable, split

_ORDER = struct.Struct(">QQ")
_ABSENT = b""
_VARIABLE = (str, bytes, list)


class RowCodec:
    """Encodes and decodes rows of one layout; thread-safe. Get it from ``row_codec``, which keeps it."""

    __slots__ = (
        "_all_fixed",
        "_bitmap_size",
        "_bools",
        "_columns",
        "_ends",
        "_fixed",
        "_float32",
        "_float64",
        "_no_nulls",
        "_packed",
        "_types",
        "_unpacked",
        "_variable",
        "layout",
    )

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._columns = layout.columns
        dtypes = [column.dtype for column in layout.columns]
        self._types = tuple(list if dtype.is_list else PYTHON[dtype] for dtype in dtypes)
        self._fixed = [i for i, dtype in enumerate(dtypes) if dtype.width is not None]
        self._variable = [i for i, dtype in enumerate(dtypes) if dtype.width is None]
        self._all_fixed = not self._variable
        # Places among the fixed columns, not among all: that is what they are used on.
        self._float32 = [at for at, i in enumerate(self._fixed) if dtypes[i] is Dtype.FLOAT32]
        self._float64 = [at for at, i in enumerate(self._fixed) if dtypes[i] is Dtype.FLOAT64]
        self._bools = [at for at, i in enumerate(self._fixed) if dtypes[i] is Dtype.BOOL]
        self._bitmap_size = (len(dtypes) + 7) // 8
        self._no_nulls = bytes(self._bitmap_size)
        body = f"{self._bitmap_size}s" + "".join(FORMATS[dtypes[i]] for i in self._fixed)
        self._packed = struct.Struct("<BBHIqQ" + body)
        self._unpacked = struct.Struct("<" + body)
        self._ends = struct.Struct(f"<{len(self._variable)}I")

    def encode(self, row: Row) -> bytes:
        """Return the bytes of ``row``, or ``Refused`` naming the column whose value does not fit it."""
        given = row.values
        values: list[Value] | tuple[Value, ...] = given
        bitmap = self._no_nulls
        if tuple(map(type, given)) != self._types:
            values, bitmap = self._convert(given)
        if row.tombstone and any(value is not None for value in given):
            raise Refused("bad_value", "a tombstone has no values")
        fixed: list[Value] = list(values) if self._all_fixed else [values[i] for i in self._fixed]
        for at in self._float64:
            value = fixed[at]
            if value == 0.0:
                fixed[at] = 0.0
            elif value != value:  # noqa: PLR0124 - only NaN differs from itself
                fixed[at] = NAN
        for at in self._float32:
            fixed[at] = canonical32(fixed[at])  # type: ignore[arg-type]  # a float, by its type above
        head = self._head(row, bitmap, fixed)
        data = head if self._all_fixed else head + self._encode_variable(given)
        return data + checksum(data)

    def decode(self, data: bytes) -> Row:
        """Return the row, or raise ``CorruptRow``: never anything else, whatever the bytes."""
        header = decode_header(data)
        if header.layout_number != self.layout.number:
            raise CorruptRow(f"layout {header.layout_number}, not {self.layout.number}")
        return Row(
            event_time_us=header.event_time_us,
            lane=header.lane,
            position=header.position,
            layout_number=header.layout_number,
            write_time_us=header.write_time_us,
            run_number=header.run_number,
            values=self._decode_values(data),
            tombstone=header.tombstone,
            held=header.held,
            clamped=header.clamped,
        )

    def _head(self, row: Row, bitmap: bytes, fixed: list[Value]) -> bytes:
        if row.layout_number != self.layout.number:
            raise Refused("bad_value", f"a row of layout {row.layout_number}, packed as {self.layout.number}")
        if not 0 <= row.position < POSITIONS:
            raise Refused("bad_value", f"position {row.position} does not fit 62 bits")
        flags = (
            (TOMBSTONE if row.tombstone else 0) | (HELD if row.held else 0) | (CLAMPED if row.clamped else 0)
        )
        try:
            return _ORDER.pack(
                row.event_time_us + SIGN, LANE_CODES[row.lane] << 62 | row.position
            ) + self._packed.pack(
                VERSION, flags, 0, row.layout_number, row.write_time_us, row.run_number, bitmap, *fixed
            )
        except (struct.error, OverflowError) as error:
            raise self._refusal(row, fixed) from error

    def _refusal(self, row: Row, fixed: list[Value]) -> Refused:
        """Say which number did not fit: found only now, so that rows which fit pay nothing for it."""
        for at, i in enumerate(self._fixed):
            column = self._columns[i]
            try:
                struct.pack("<" + FORMATS[column.dtype], fixed[at])
            except (struct.error, OverflowError):
                return Refused("bad_value", f"{column.name} is {fixed[at]!r}, outside {column.dtype}")
        return Refused(
            "bad_value",
            f"a time or number of the row does not fit its 64 (layout: 32) bits:"
            f" event time {row.event_time_us}, write time {row.write_time_us}, run {row.run_number},"
            f" layout {row.layout_number}",
        )

    def _convert(self, given: tuple[Value, ...]) -> tuple[list[Value], bytes]:
        """Return the values with nulls of fixed columns as 0, and the null bitmap."""
        if len(given) != len(self._columns):
            raise Refused("bad_value", f"{len(given)} values for {len(self._columns)} columns")
        nulls = 0
        values: list[Value] = []
        for i, (value, wanted) in enumerate(zip(given, self._types, strict=True)):
            if value is None:
                nulls |= 1 << i
                values.append(0)
            elif type(value) is wanted or wanted in _VARIABLE:  # variable ones are checked when encoded
                values.append(value)
            else:
                values.append(convert(value, self._columns[i].dtype, self._columns[i].name))
        return values, nulls.to_bytes(self._bitmap_size, "little")

    def _encode_variable(self, given: tuple[Value, ...]) -> bytes:
        ends: list[int] = []
        pieces: list[bytes] = []
        end = 0
        for i in self._variable:
            value = given[i]
            column = self._columns[i]
            piece = _ABSENT if value is None else encode_variable(value, column.dtype, column.name)
            end += len(piece)
            ends.append(end)
            pieces.append(piece)
        try:
            return self._ends.pack(*ends) + b"".join(pieces)
        except struct.error as error:
            raise Refused("too_large", f"a row of {end} bytes, at most {2**32 - 1}") from error

    def _decode_values(self, data: bytes) -> tuple[Value, ...]:
        begin = HEADER_SIZE + self._unpacked.size
        start = begin + self._ends.size
        end = len(data) - CHECKSUM_SIZE
        if end < start or (self._all_fixed and end != start):
            raise CorruptRow(f"{len(data)} bytes do not hold the columns of layout {self.layout.number}")
        bitmap, *fixed = self._unpacked.unpack_from(data, HEADER_SIZE)
        nulls = int.from_bytes(bitmap, "little")
        if nulls >> len(self._columns):
            raise CorruptRow("a null bit beyond the last column")
        for at in self._bools:
            if fixed[at] > 1:
                raise CorruptRow("a bool that is neither 0 nor 1")
            fixed[at] = fixed[at] == 1
        if self._all_fixed and not nulls:
            return tuple(fixed)
        values: list[Value] = [None] * len(self._columns)
        for i, value in zip(self._fixed, fixed, strict=True):
            values[i] = value
        if self._variable:
            pieces = split(data, self._ends.unpack_from(data, begin), start=start, end=end)
            for i, piece in zip(self._variable, pieces, strict=True):
                values[i] = _ABSENT if nulls >> i & 1 else decode_variable(piece, self._columns[i].dtype)
                if nulls >> i & 1 and piece:
                    raise CorruptRow("a null that has a value")
        for i in range(len(values)):
            if nulls >> i & 1:
                if values[i]:  # zero, False or empty under a null, NaN counts as a value
                    raise CorruptRow("a null that has a value")
                values[i] = None
        return tuple(values)


@lru_cache(maxsize=1024)
def row_codec(layout: Layout) -> RowCodec:
    """Return the codec of ``layout``, built once."""
    return RowCodec(layout)


def encode_row(row: Row, layout: Layout) -> bytes:
    """Return the bytes of ``row``; ``Refused`` names the column whose value does not fit its dtype."""
    return row_codec(layout).encode(row)


def decode_row(data: bytes, layout: Layout) -> Row:
    """Return the row that ``data`` holds under ``layout``, or raise ``CorruptRow`` with the reason."""
    return row_codec(layout).decode(data)
