"""The types of features and join keys (contract.md: dtypes), and how they sit in a row (store.md)."""

from enum import StrEnum


class Dtype(StrEnum):
    """A feature's type. ``timestamp`` is microseconds since 1970 UTC in an int64."""

    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BOOL = "bool"
    STRING = "string"
    BYTES = "bytes"
    TIMESTAMP = "timestamp"
    LIST_INT32 = "list<int32>"
    LIST_INT64 = "list<int64>"
    LIST_FLOAT32 = "list<float32>"
    LIST_FLOAT64 = "list<float64>"
    LIST_BOOL = "list<bool>"
    LIST_STRING = "list<string>"
    LIST_BYTES = "list<bytes>"
    LIST_TIMESTAMP = "list<timestamp>"

    @property
    def is_list(self) -> bool:
        return self.value.startswith("list<")

    @property
    def element(self) -> "Dtype":
        """The dtype of a list's elements; a scalar's own."""
        return Dtype(self.value[5:-1]) if self.is_list else self

    @property
    def width(self) -> int | None:
        """Bytes of a fixed column in a row; None for a variable one (strings, bytes, lists)."""
        return _WIDTHS.get(self)

    @property
    def is_integer(self) -> bool:
        return self.element in (Dtype.INT32, Dtype.INT64, Dtype.TIMESTAMP)

    @property
    def is_float(self) -> bool:
        return self.element in (Dtype.FLOAT32, Dtype.FLOAT64)


_WIDTHS = {
    Dtype.BOOL: 1,
    Dtype.INT32: 4,
    Dtype.FLOAT32: 4,
    Dtype.INT64: 8,
    Dtype.FLOAT64: 8,
    Dtype.TIMESTAMP: 8,
}

KEY_DTYPES = frozenset({Dtype.INT32, Dtype.INT64, Dtype.STRING, Dtype.BYTES})

# What a value of a feature looks like in Python: timestamps are int microseconds, lists are lists without
# nulls inside, null is None.
Scalar = bool | int | float | str | bytes
Value = Scalar | list[Scalar] | None
