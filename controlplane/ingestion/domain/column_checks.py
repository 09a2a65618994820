"""Domain checks of whole Arrow columns: most columns keep their contract, and then no value is looked at."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from controlplane.contracts.model import Feature
from controlplane.kernel.dtypes import Dtype


def is_surely_good(feature: Feature, column: pa.Array) -> bool:
    """Whether every value of the column keeps the contract. False: look at them one by one."""
    if not feature.nullable and column.null_count:
        return False
    if column.null_count == len(column):
        return True
    if feature.dtype.is_list:
        return False
    check = _CHECKS.get(feature.dtype)
    return check(feature, column) if check is not None else False


def _numbers_are_good(feature: Feature, column: pa.Array) -> bool:
    found = pc.min_max(column)
    low, high = found["min"].as_py(), found["max"].as_py()
    if feature.minimum is not None and low < feature.minimum:
        return False
    if feature.maximum is not None and high > feature.maximum:
        return False
    return feature.allowed is None


def _floats_are_good(feature: Feature, column: pa.Array) -> bool:
    # min and max skip NaN: a column that may hold any is looked at by itself.
    if not feature.allow_nan and _any(pc.is_nan(column)):
        return False
    if not feature.allow_inf and _any(pc.is_inf(column)):
        return False
    if feature.minimum is None and feature.maximum is None:
        return True
    return not _any(pc.is_nan(column)) and _numbers_are_good(feature, column)


def _texts_are_good(feature: Feature, column: pa.Array) -> bool:
    if feature.pattern is not None:
        return False
    if feature.max_length is not None and pc.max(pc.utf8_length(column)).as_py() > feature.max_length:
        return False
    if feature.allowed is None:
        return True
    return not _any(pc.invert(pc.is_in(column.drop_null(), value_set=pa.array(list(feature.allowed)))))


def _bytes_are_good(feature: Feature, column: pa.Array) -> bool:
    return feature.max_length is None or pc.max(pc.binary_length(column)).as_py() <= feature.max_length


def _bools_are_good(feature: Feature, column: pa.Array) -> bool:
    return True


def _any(column: pa.Array) -> bool:
    return bool(pc.any(column).as_py())


_CHECKS: dict[Dtype, Callable[[Feature, pa.Array], bool]] = {
    Dtype.INT32: _numbers_are_good,
    Dtype.INT64: _numbers_are_good,
    Dtype.TIMESTAMP: _numbers_are_good,
    Dtype.FLOAT32: _floats_are_good,
    Dtype.FLOAT64: _floats_are_good,
    Dtype.BOOL: _bools_are_good,
    Dtype.STRING: _texts_are_good,
    Dtype.BYTES: _bytes_are_good,
}
