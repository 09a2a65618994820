"""Entity keys as bytes: Feast's entity key, version 3.

Little-endian throughout: u32 number of join keys; per join key, sorted by name, u32 2 (STRING), u32 length,
name; then per value, in the same order, u32 type, u32 length, bytes. Strings are stored as they come: not
normalised, so that two spellings of one letter stay two entities, as they are in Feast.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from controlplane.kernel.dtypes import KEY_DTYPES, Dtype
from controlplane.kernel.errors import Refused
from store_adapters.errors import CorruptKey

KeyValue = int | str | bytes

_U32 = struct.Struct("<I")
_PAIR = struct.Struct("<II")
_INT32 = struct.Struct("<IIi")
_INT64 = struct.Struct("<IIq")
# Feast's ValueType numbers. UNIX_TIMESTAMP (8) is no key of ours.
_TYPES = {Dtype.BYTES: 1, Dtype.STRING: 2, Dtype.INT32: 3, Dtype.INT64: 4}
_DTYPES = {number: dtype for dtype, number in _TYPES.items()}
_PYTHON: dict[Dtype, type] = {Dtype.BYTES: bytes, Dtype.STRING: str, Dtype.INT32: int, Dtype.INT64: int}
_WIDTHS = {Dtype.INT32: 4, Dtype.INT64: 8}
_LONGEST = 2**32 - 1


class KeyCodec:
    """Encodes keys of one entity. Build once, use for every row: the names are packed beforehand."""

    __slots__ = ("_columns", "_prefix")

    def __init__(self, join_keys: Iterable[tuple[str, Dtype]]) -> None:
        declared = [(name, index, dtype) for index, (name, dtype) in enumerate(join_keys)]
        ordered = sorted(declared)
        names = [name for name, _, _ in ordered]
        if not names or len(set(names)) != len(names):
            raise Refused("bad_value", f"an entity key needs join keys of different names, got {names!r}")
        for name, _, dtype in ordered:
            if dtype not in KEY_DTYPES:
                allowed = ", ".join(sorted(KEY_DTYPES))
                raise Refused("bad_dtype", f"join key {name!r} cannot be {dtype}: allowed are {allowed}")
        self._columns = [(index, name, dtype, _ENCODERS[dtype]) for name, index, dtype in ordered]
        packed = [_PAIR.pack(2, len(raw)) + raw for raw in (_utf8(name, "the name of") for name in names)]
        self._prefix = _U32.pack(len(names)) + b"".join(packed)

    def encode(self, values: Sequence[KeyValue]) -> bytes:
        """Return the key bytes of ``values``, given in the order the join keys were declared."""
        if len(values) != len(self._columns):
            raise Refused("bad_value", f"{len(values)} values for {len(self._columns)} join keys")
        parts = [self._prefix]
        for index, name, dtype, encode in self._columns:
            value = values[index]
            if type(value) is not _PYTHON[dtype]:  # exact: a bool is an int to Python, and no key
                raise Refused("bad_value", f"join key {name!r} is {_kind(value)}, not {dtype}")
            parts.append(encode(value, name))
        return b"".join(parts)


def encode_key(join_keys: Sequence[tuple[str, Dtype, KeyValue]]) -> bytes:
    """Return the key bytes; the order given does not matter. ``Refused`` names the join key that is wrong."""
    return _codec(tuple((name, dtype) for name, dtype, _ in join_keys)).encode(
        [value for _, _, value in join_keys]
    )


def decode_key(data: bytes) -> list[tuple[str, Dtype, KeyValue]]:
    """Return (name, dtype, value) of each join key, sorted by name, or raise ``CorruptKey``."""
    if len(data) < 4:
        raise CorruptKey("shorter than its count")
    (count,) = _U32.unpack_from(data)
    if count == 0:
        raise CorruptKey("no join keys")
    at = 4
    names: list[str] = []
    for _ in range(count):
        number, raw, at = _take(data, at)
        if number != 2:
            raise CorruptKey(f"a name of type {number}")
        names.append(_text(raw))
    if any(left >= right for left, right in pairwise(names)):
        raise CorruptKey("names are not in order")
    found: list[tuple[str, Dtype, KeyValue]] = []
    for name in names:
        number, raw, at = _take(data, at)
        found.append((name, *_value(number, raw)))
    if at != len(data):
        raise CorruptKey(f"{len(data) - at} bytes after the end")
    return found


@lru_cache(maxsize=1024)
def _codec(join_keys: tuple[tuple[str, Dtype], ...]) -> KeyCodec:
    return KeyCodec(join_keys)


def _kind(value: object) -> str:
    return "null" if value is None else f"a {type(value).__name__}"


def _utf8(text: str, what: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Refused("bad_value", f"{what} join key {text!r} is no valid Unicode: {error.reason}") from error


def _encode_string(value: str, name: str) -> bytes:
    return _encode_bytes(_utf8(value, f"the value of {name!r}, a"), name, number=2)


def _encode_bytes(value: bytes, name: str, number: int = 1) -> bytes:
    if len(value) > _LONGEST:
        raise Refused("bad_value", f"join key {name!r} is {len(value)} bytes long, at most {_LONGEST}")
    return _PAIR.pack(number, len(value)) + value


def _encode_int32(value: int, name: str) -> bytes:
    try:
        return _INT32.pack(3, 4, value)
    except struct.error as error:
        raise Refused("bad_value", f"join key {name!r} is {value}, outside int32") from error


def _encode_int64(value: int, name: str) -> bytes:
    try:
        return _INT64.pack(4, 8, value)
    except struct.error as error:
        raise Refused("bad_value", f"join key {name!r} is {value}, outside int64") from error


_ENCODERS: dict[Dtype, Callable[..., bytes]] = {
    Dtype.STRING: _encode_string,
    Dtype.BYTES: _encode_bytes,
    Dtype.INT32: _encode_int32,
    Dtype.INT64: _encode_int64,
}


def _take(data: bytes, at: int) -> tuple[int, bytes, int]:
    if len(data) - at < 8:
        raise CorruptKey("cut off")
    number, length = _PAIR.unpack_from(data, at)
    end = at + 8 + length
    if end > len(data):
        raise CorruptKey("cut off")
    return number, data[at + 8 : end], end


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise CorruptKey("a string is not UTF-8") from error


def _value(number: int, raw: bytes) -> tuple[Dtype, KeyValue]:
    dtype = _DTYPES.get(number)
    if dtype is None:
        raise CorruptKey(f"a value of type {number}")
    if dtype is Dtype.BYTES:
        return dtype, raw
    if dtype is Dtype.STRING:
        return dtype, _text(raw)
    if len(raw) != _WIDTHS[dtype]:
        raise CorruptKey(f"{dtype} of {len(raw)} bytes")
    return dtype, int.from_bytes(raw, "little", signed=True)
