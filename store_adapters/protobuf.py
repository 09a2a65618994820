"""Protobuf's wire format, read without the protobuf package: fields by number, as they stand in the bytes."""

from collections.abc import Iterator

from store_adapters.errors import CorruptValue

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Yield number, wire type and content of each field of a message; ``CorruptValue`` where it is none."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        field, wire = tag >> 3, tag & 7
        if not 0 < field < 2**29:
            raise CorruptValue(f"there is no field {field}")
        raw, at = value(data, at, wire)
        yield field, wire, raw


def value(data: bytes, at: int, wire: int) -> tuple[int | bytes, int]:
    """Return the content that begins at ``at``, and where it ends; the content of a number is not signed."""
    if wire == VARINT:
        return _varint(data, at)
    if wire == BYTES:
        size, at = _varint(data, at)
    elif wire in (FIXED64, FIXED32):
        size = 8 if wire == FIXED64 else 4
    else:
        raise CorruptValue(f"there is no wire type {wire} here")
    if at + size > len(data):
        raise CorruptValue("it ends too soon")
    return data[at : at + size], at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise CorruptValue("it ends too soon")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if number >= 2**64:
                break
            return number, at
    raise CorruptValue("a number has more than 64 bits")


def signed(number: int, bits: int) -> int:
    """Return a number read as one of ``bits`` bits that may be negative."""
    low = number & (1 << bits) - 1
    return low - (1 << bits) if low >> (bits - 1) else low
