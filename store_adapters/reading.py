"""Reading a row under the columns that a view has now, when it was written under others."""

from enum import StrEnum

from controlplane.kernel.dtypes import Dtype, Value
from store_adapters.model import Layout, Row

_WIDENS = {(Dtype.INT32, Dtype.INT64), (Dtype.FLOAT32, Dtype.FLOAT64)}


class Gap(StrEnum):
    """Why a row has no readable value for a column."""

    ABSENT = "absent"  # its layout lacks the column: the verdict is `missing`
    RETYPED = "retyped"  # its layout has it as a type that does not widen: the verdict is `invalid`


def widens(stored: Dtype, wanted: Dtype) -> bool:
    """Return whether stored values are values of ``wanted``: int32 is int64, float32 is float64."""
    return stored is wanted or (stored, wanted) in _WIDENS


def values_as(row: Row, *, stored: Layout, wanted: Layout) -> tuple[Value | Gap, ...]:
    """Return the values of ``row`` (packed under ``stored``) for the columns of ``wanted``, by name."""
    if stored == wanted:
        return row.values
    found = {
        column.name: (column.dtype, value) for column, value in zip(stored.columns, row.values, strict=True)
    }
    values: list[Value | Gap] = []
    for column in wanted.columns:
        if column.name not in found:
            values.append(Gap.ABSENT)
            continue
        dtype, value = found[column.name]
        values.append(value if widens(dtype, column.dtype) else Gap.RETYPED)
    return tuple(values)
