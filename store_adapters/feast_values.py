"""What Feast's online stores hold, without Feast and without protobuf: names of fields, times, values."""

import math
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum

from controlplane.kernel.dtypes import Dtype, Value
from store_adapters.errors import CorruptValue
from store_adapters.murmur import murmur3_32
from store_adapters.protobuf import BYTES, FIXED32, FIXED64, VARINT, fields, signed, value
from store_adapters.reading import widens

_NULL_FIELD = 19
# Feast's null of a timestamp.
_NULL_TIME = -(2**63)
_SECOND_US = 1_000_000
_MAX_SECONDS = (2**63 - 1) // _SECOND_US

# The fields of feast.types.Value that have a dtype here.
_SCALARS = {
    1: Dtype.BYTES,
    2: Dtype.STRING,
    3: Dtype.INT32,
    4: Dtype.INT64,
    5: Dtype.FLOAT64,
    6: Dtype.FLOAT32,
    7: Dtype.BOOL,
    8: Dtype.TIMESTAMP,
}
_KINDS = _SCALARS | {field + 10: Dtype(f"list<{dtype.value}>") for field, dtype in _SCALARS.items()}
_WIRES = {
    Dtype.BYTES: BYTES,
    Dtype.STRING: BYTES,
    Dtype.FLOAT64: FIXED64,
    Dtype.FLOAT32: FIXED32,
}


# Python's str(datetime) and isoformat(); without an offset it is UTC.
_TEXT_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Mistyped(Enum):
    """A value of a type that cannot be read as its feature's dtype."""

    VALUE = "mistyped"


def field_of(view: str, feature: str) -> bytes:
    """Return the name of a feature's field in a Redis hash."""
    return murmur3_32(f"{view}:{feature}".encode()).to_bytes(4, "little")


def decode_value(data: bytes, dtype: Dtype) -> Value | Mistyped:
    """Return a serialized ``feast.types.Value`` read as ``dtype``; None is null.

    ``Mistyped.VALUE`` for another type and for a text that is not UTF-8, ``CorruptValue`` for other bytes.
    """
    value: Value | Mistyped = None
    for field, wire, raw in fields(data):
        kind = _KINDS.get(field)
        if field == _NULL_FIELD:
            value = None
        elif kind is None or not widens(kind, dtype):
            value = Mistyped.VALUE
        else:
            value = _decode_one(raw, wire, kind)
    return value


def _decode_one(raw: int | bytes, wire: int, kind: Dtype) -> Value | Mistyped:
    try:
        if kind.is_list:
            return _decode_list(raw, wire, kind.element)
        value = _decode_scalar(raw, wire, kind)
    except UnicodeDecodeError:
        return Mistyped.VALUE
    return _microseconds(value) if kind is Dtype.TIMESTAMP else value


def decode_time(data: bytes) -> int:
    """Return a serialized ``google.protobuf.Timestamp`` as microseconds since 1970 UTC."""
    parts = {1: 0, 2: 0}
    for field, wire, raw in fields(data):
        if field not in parts:
            continue
        if wire != VARINT:
            raise CorruptValue("a timestamp's field is no number")
        assert isinstance(raw, int)
        parts[field] = signed(raw, 64 if field == 1 else 32)
    seconds, nanos = parts[1], parts[2]
    if not (-_MAX_SECONDS <= seconds < _MAX_SECONDS and 0 <= nanos < 1_000_000_000):
        raise CorruptValue("a timestamp is out of range")
    return seconds * _SECOND_US + nanos // 1000


def parse_time(text: str) -> int:
    """Return an event time that was written as text as microseconds since 1970 UTC."""
    if not _TEXT_TIME.fullmatch(text):
        raise CorruptValue("an event time is no date and time of day")
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CorruptValue("an event time is no time there can be") from error
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)


def seconds_to_us(seconds: int) -> int:
    """Return an event time that was written as whole seconds as microseconds."""
    if not -_MAX_SECONDS <= seconds < _MAX_SECONDS:
        raise CorruptValue("an event time is out of range")
    return seconds * _SECOND_US


def _decode_scalar(raw: int | bytes, wire: int, kind: Dtype) -> Value:
    if wire != _WIRES.get(kind, VARINT):
        raise CorruptValue(f"a value of {kind} has the wire type {wire}")
    if isinstance(raw, bytes):
        return _decode_bytes(raw, kind)
    if kind is Dtype.BOOL:
        return raw != 0
    return signed(raw, 32 if kind is Dtype.INT32 else 64)


def _decode_bytes(raw: bytes, kind: Dtype) -> Value:
    if kind is Dtype.BYTES:
        return raw
    if kind is Dtype.STRING:
        return raw.decode()
    number: float = struct.unpack("<d" if kind is Dtype.FLOAT64 else "<f", raw)[0]
    return math.nan if math.isnan(number) else number + 0.0


def _microseconds(seconds: Value | Mistyped) -> Value | Mistyped:
    assert isinstance(seconds, int)
    if seconds == _NULL_TIME:
        return None
    return seconds * _SECOND_US if abs(seconds) <= _MAX_SECONDS else Mistyped.VALUE


def _decode_list(raw: int | bytes, wire: int, kind: Dtype) -> Value:
    if wire != BYTES or not isinstance(raw, bytes):
        raise CorruptValue("a list is no message")
    items: list[Value] = []
    for field, inner_wire, inner in fields(raw):
        if field == 1:
            items.extend(_decode_items(inner, inner_wire, kind))
    return items  # type: ignore[return-value]  # elements are of one kind


def _decode_items(raw: int | bytes, wire: int, kind: Dtype) -> Iterator[Value]:
    expected = _WIRES.get(kind, VARINT)
    if wire == BYTES and expected != BYTES:
        assert isinstance(raw, bytes)
        at = 0
        while at < len(raw):
            inner, at = value(raw, at, expected)
            yield from _decode_items(inner, expected, kind)
        return
    item: Value | Mistyped = _decode_scalar(raw, wire, kind)
    if kind is Dtype.TIMESTAMP:
        item = _microseconds(item)
        if item is None or isinstance(item, Mistyped):
            raise CorruptValue("a list holds a time that is none")
    yield item  # type: ignore[misc]
