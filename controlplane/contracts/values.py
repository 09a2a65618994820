"""Values between JSON and Python, exactly.

In Python a timestamp is an int of microseconds since 1970 UTC, a float32 is a float that a float32 can
hold, null is None. Nothing here looks at a contract: domains are judged in ``checks``.
"""

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable
from datetime import UTC, datetime

from controlplane.kernel.clock import from_us, to_us
from controlplane.kernel.dtypes import Dtype, Scalar, Value
from controlplane.kernel.errors import Refused

_RANGES = {
    Dtype.INT32: (-(2**31), 2**31 - 1),
    Dtype.INT64: (-(2**63), 2**63 - 1),
    Dtype.TIMESTAMP: (-(2**63), 2**63 - 1),
}
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
# RFC 3339, and the same without a zone. Digits past the microsecond may only be zeros.
_TIMESTAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6})0*)?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII
)
_SHOWN_CHARACTERS = 60


def from_json(dtype: Dtype, raw: object) -> Value:
    """Return the value that parsed JSON ``raw`` names; null is None. Anything unfit is ``Refused``."""
    if raw is None:
        return None
    if not dtype.is_list:
        return _READERS[dtype](dtype, raw)
    if not isinstance(raw, list):
        raise _unfit(dtype, raw, "an array")
    return [_READERS[dtype.element](dtype.element, item) for item in raw]


def to_json(dtype: Dtype, value: Value) -> object:
    """Return what JSON carries for ``value``; timestamps as integer microseconds.

    ``from_json(dtype, to_json(dtype, value)) == value`` for every canonical value.
    """
    if isinstance(value, list):
        return [to_json(dtype.element, item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, float):
        return _float_to_json(dtype, value)
    return value


def render_timestamp(microseconds: int) -> str | int:
    """Return RFC 3339 in UTC; the integer itself where no calendar date can say it."""
    try:
        instant = from_us(microseconds)
    except OverflowError:
        return microseconds
    spec = "microseconds" if instant.microsecond else "seconds"
    return instant.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


def canonical_float(dtype: Dtype, number: float) -> float:
    """Return ``number`` as a column of ``dtype`` stores it: rounded to float32 there, -0.0 as 0.0."""
    if dtype.element is Dtype.FLOAT32:
        number = round_to_float32(number)
    return 0.0 if number == 0 else number


def round_to_float32(number: float) -> float:
    """Return the nearest float32; a finite number beyond its range raises OverflowError."""
    rounded: float = struct.unpack("<f", struct.pack("<f", number))[0]
    return rounded


def _unfit(dtype: Dtype, raw: object, allowed: str) -> Refused:
    shown = repr(raw)
    if len(shown) > _SHOWN_CHARACTERS:
        shown = shown[:_SHOWN_CHARACTERS] + "..."
    return Refused("bad_value", f"{shown} is no {dtype}: {allowed} is expected")


def _read_integer(dtype: Dtype, raw: object) -> int:
    low, high = _RANGES[dtype]
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise _unfit(dtype, raw, "a number without fraction")
    if isinstance(raw, float) and not raw.is_integer():
        raise _unfit(dtype, raw, "a number without fraction")
    number = int(raw)
    if not low <= number <= high:
        raise _unfit(dtype, raw, f"a number from {low} to {high}")
    return number


def _read_float(dtype: Dtype, raw: object) -> float:
    if isinstance(raw, str) and raw in _NON_FINITE:
        return _NON_FINITE[raw]
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise _unfit(dtype, raw, 'a number, "NaN", "Infinity" or "-Infinity"')
    try:
        return canonical_float(dtype, float(raw))
    except OverflowError:
        raise _unfit(dtype, raw, "a number within its range") from None


def _read_bool(dtype: Dtype, raw: object) -> bool:
    if not isinstance(raw, bool):
        raise _unfit(dtype, raw, "true or false")
    return raw


def _read_string(dtype: Dtype, raw: object) -> str:
    if not isinstance(raw, str):
        raise _unfit(dtype, raw, "a string")
    if any("\ud800" <= character <= "\udfff" for character in raw):
        raise _unfit(dtype, raw, "a string without lone surrogates")
    return raw


def _read_bytes(dtype: Dtype, raw: object) -> bytes:
    if not isinstance(raw, str):
        raise _unfit(dtype, raw, "a base64 string")
    try:
        return base64.b64decode(raw.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _unfit(dtype, raw, "a base64 string") from None


def _read_timestamp(dtype: Dtype, raw: object) -> int:
    if not isinstance(raw, str):
        return _read_integer(dtype, raw)
    allowed = "an RFC 3339 date and time, exact to the microsecond, or whole microseconds since 1970"
    found = _TIMESTAMP.fullmatch(raw)
    if found is None:
        raise _unfit(dtype, raw, allowed)
    day, clock, fraction, zone = found.groups()
    try:
        instant = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '').ljust(6, '0')}")
        if zone and zone not in "Zz":
            instant = datetime.fromisoformat(instant.isoformat() + zone)
        # A subtraction reaches a little below year 1, where datetime itself does not.
        return to_us(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise _unfit(dtype, raw, allowed) from None


def _float_to_json(dtype: Dtype, number: float) -> object:
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return _shortest_float32(number) if dtype.element is Dtype.FLOAT32 else number


def _shortest_float32(number: float) -> float:
    """Return the number with the fewest digits that rounds to the same float32: 0.1, not 0.10000000149."""
    for digits in range(1, 10):
        short = float(f"{number:.{digits}g}")
        try:
            if round_to_float32(short) == number:
                return short
        except OverflowError:  # rounding up the digits of the greatest float32 leaves its range
            continue
    return number


_READERS: dict[Dtype, Callable[[Dtype, object], Scalar]] = {
    Dtype.INT32: _read_integer,
    Dtype.INT64: _read_integer,
    Dtype.FLOAT32: _read_float,
    Dtype.FLOAT64: _read_float,
    Dtype.BOOL: _read_bool,
    Dtype.STRING: _read_string,
    Dtype.BYTES: _read_bytes,
    Dtype.TIMESTAMP: _read_timestamp,
}
