"""Strings, bytes and lists: the columns of a row whose width is not fixed.

Lists of fixed elements are packed. Lists of strings or bytes: u32 count, a u32 end offset per element counted
from where the elements begin, the elements. Nothing inside a list is null.
"""

import struct
from collections.abc import Callable, Sequence

from controlplane.kernel.dtypes import Dtype, Scalar, Value
from controlplane.kernel.errors import Refused
from store_adapters.errors import CorruptRow
from store_adapters.row_floats import canonical32, canonical64

# Packed as unsigned bytes rather than as "?", which would take a 2 for True without a word.
FORMATS = {
    Dtype.BOOL: "B",
    Dtype.INT32: "i",
    Dtype.INT64: "q",
    Dtype.TIMESTAMP: "q",
    Dtype.FLOAT32: "f",
    Dtype.FLOAT64: "d",
}
PYTHON: dict[Dtype, type] = {
    Dtype.BOOL: bool,
    Dtype.INT32: int,
    Dtype.INT64: int,
    Dtype.TIMESTAMP: int,
    Dtype.FLOAT32: float,
    Dtype.FLOAT64: float,
    Dtype.STRING: str,
    Dtype.BYTES: bytes,
}
_CANONICAL: dict[Dtype, Callable[[float], float]] = {Dtype.FLOAT32: canonical32, Dtype.FLOAT64: canonical64}
_U32 = struct.Struct("<I")


def convert(value: object, dtype: Dtype, what: str) -> Scalar:
    """Return ``value`` as exactly the Python type of the scalar ``dtype``, or ``Refused`` naming ``what``.

    A whole number is good for a float; a bool is no number; nothing else changes its type.
    """
    wanted = PYTHON[dtype]
    if type(value) is wanted:
        return value  # type: ignore[return-value]  # one of the scalars, by the table above
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError as error:
            raise Refused("bad_value", f"{what} is too great for {dtype}") from error
    kind = "null" if value is None else f"a {type(value).__name__}"
    raise Refused("bad_value", f"{what} is {kind}, not {dtype}")


def encode_variable(value: Value, dtype: Dtype, what: str) -> bytes:
    """Return the data of one column that is not null; ``Refused`` names ``what`` is wrong."""
    if not dtype.is_list:
        return _encode_element(value, dtype, what)
    if not isinstance(value, list | tuple):
        raise Refused("bad_value", f"{what} is a {type(value).__name__}, not {dtype}")
    if dtype.element.width is None:
        return _encode_elements(value, dtype.element, what)
    return _encode_packed(value, dtype.element, what)


def decode_variable(data: bytes, dtype: Dtype) -> Value:
    """Return the value of one column that is not null, or raise ``CorruptRow``."""
    if dtype is Dtype.BYTES:
        return data
    if dtype is Dtype.STRING:
        return _text(data)
    element = dtype.element
    if element.width is not None:
        return _decode_packed(data, element, element.width)
    pieces = _decode_elements(data)
    return [_text(piece) for piece in pieces] if element is Dtype.STRING else list(pieces)


def _encode_element(value: object, dtype: Dtype, what: str) -> bytes:
    scalar = convert(value, dtype, what)
    if isinstance(scalar, bytes):
        return scalar
    assert isinstance(scalar, str)
    try:
        return scalar.encode()
    except UnicodeEncodeError as error:
        raise Refused("bad_value", f"{what} is no valid Unicode: {error.reason}") from error


def _encode_elements(values: Sequence[object], element: Dtype, what: str) -> bytes:
    ends: list[int] = []
    pieces: list[bytes] = []
    end = 0
    for index, value in enumerate(values):
        piece = _encode_element(value, element, f"{what}[{index}]")
        end += len(piece)
        pieces.append(piece)
        ends.append(end)
    return struct.pack(f"<{len(ends) + 1}I", len(ends), *ends) + b"".join(pieces)


def _encode_packed(values: Sequence[object], element: Dtype, what: str) -> bytes:
    wanted = PYTHON[element]
    if any(type(value) is not wanted for value in values):
        values = [convert(value, element, f"{what}[{index}]") for index, value in enumerate(values)]
    canonical = _CANONICAL.get(element)
    if canonical is not None:
        values = [canonical(value) for value in values]  # type: ignore[arg-type]  # floats, checked above
    try:
        return struct.pack(f"<{len(values)}{FORMATS[element]}", *values)
    except (struct.error, OverflowError) as error:
        raise Refused("bad_value", f"{what} has an element outside {element}") from error


def _decode_packed(data: bytes, element: Dtype, width: int) -> Value:
    count, rest = divmod(len(data), width)
    if rest:
        raise CorruptRow(f"a list<{element}> of {len(data)} bytes")
    values = struct.unpack(f"<{count}{FORMATS[element]}", data)
    if element is not Dtype.BOOL:
        return list(values)
    if data.strip(b"\0\1"):
        raise CorruptRow("a bool that is neither 0 nor 1")
    return [value == 1 for value in values]


def _decode_elements(data: bytes) -> list[bytes]:
    if len(data) < 4:
        raise CorruptRow("a list without its count")
    (count,) = _U32.unpack_from(data)
    start = 4 + 4 * count
    if len(data) < start:
        raise CorruptRow(f"a list of {count} elements in {len(data)} bytes")
    return split(data, struct.unpack_from(f"<{count}I", data, 4), start=start, end=len(data))


def split(data: bytes, ends: Sequence[int], *, start: int, end: int) -> list[bytes]:
    """Cut ``data[start:end]`` at ``ends`` (counted from start), which must rise and reach the end."""
    pieces: list[bytes] = []
    left = 0
    for right in ends:
        if right < left or right > end - start:
            raise CorruptRow("an end offset out of order")
        pieces.append(data[start + left : start + right])
        left = right
    if left != end - start:
        raise CorruptRow(f"{end - start - left} bytes after the last value")
    return pieces


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise CorruptRow("a string is not UTF-8") from error
