"""What Feast's online stores hold, without Feast and without protobuf: names of fields, times, values."""

import math
import struct
from collections.abc import Iterator
from enum import Enum

from controlplane.kernel.dtypes import Dtype, Value
from store_adapters.protobuf import BYTES, FIXED32, FIXED64, VARINT, CorruptMessage, fields, signed, value
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


class Mistyped(Enum):
    """A value of a type that cannot be read as its feature's dtype."""

    VALUE = "mistyped"


def field_of(view: str, feature: str) -> bytes:
    """Return the name of a feature's field in a Redis hash."""
    return murmur3(f"{view}:{feature}".encode()).to_bytes(4, "little")


def murmur3(data: bytes) -> int:
    """Return MurmurHash3, 32 bits, seed 0."""
    mask = 0xFFFFFFFF
    hashed, whole = 0, len(data) - len(data) % 4
    for start in range(0, whole, 4):
        hashed ^= _scrambled(int.from_bytes(data[start : start + 4], "little"))
        hashed = (_rotated(hashed, 13) * 5 + 0xE6546B64) & mask
    if whole < len(data):
        hashed ^= _scrambled(int.from_bytes(data[whole:], "little"))
    hashed ^= len(data)
    hashed = ((hashed ^ hashed >> 16) * 0x85EBCA6B) & mask
    hashed = ((hashed ^ hashed >> 13) * 0xC2B2AE35) & mask
    return hashed ^ hashed >> 16


def _scrambled(word: int) -> int:
    return _rotated(word * 0xCC9E2D51 & 0xFFFFFFFF, 15) * 0x1B873593 & 0xFFFFFFFF


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> (32 - by)) & 0xFFFFFFFF


def decode_value(data: bytes, dtype: Dtype) -> Value | Mistyped:
    """Return a serialized ``feast.types.Value`` read as ``dtype``; None is null.

    ``Mistyped.VALUE`` for another type and for a text that is not UTF-8, ``CorruptMessage`` for other bytes.
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
            raise CorruptMessage("a timestamp's field is no number")
        assert isinstance(raw, int)
        parts[field] = signed(raw, 64 if field == 1 else 32)
    seconds, nanos = parts[1], parts[2]
    if not (-_MAX_SECONDS <= seconds < _MAX_SECONDS and 0 <= nanos < 1_000_000_000):
        raise CorruptMessage("a timestamp is out of range")
    return seconds * _SECOND_US + nanos // 1000


def _decode_scalar(raw: int | bytes, wire: int, kind: Dtype) -> Value:
    if wire != _WIRES.get(kind, VARINT):
        raise CorruptMessage(f"a value of {kind} has the wire type {wire}")
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
        raise CorruptMessage("a list is no message")
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
            raise CorruptMessage("a list holds a time that is none")
    yield item  # type: ignore[misc]
