"""Bins of a feature's values: a few ranges or categories, frozen with the contract, so that values that are
counted here and there, now and then, are counted alike and their counts add up.

A number's bins are ranges between edges: bin 0 lies below the first edge, bin i from edge i - 1 (inclusive)
to edge i, the last from the last edge on. A category's bin is its place in the list, and ``other`` is
everything else. A null is ``null``, NaN is ``nan``. serving/internal/bundle/bins.go knows the same rules.
"""

import bisect
import hashlib
import json
import math
from collections.abc import Sequence

from controlplane.contracts.values import to_json
from controlplane.kernel.dtypes import Dtype, Scalar, Value

Bins = tuple[Scalar, ...]
NULL, NAN, OTHER = "null", "nan", "other"
MOST = 63
_NUMBERS = frozenset({Dtype.INT32, Dtype.INT64, Dtype.FLOAT32, Dtype.FLOAT64})
_CATEGORIES = frozenset({Dtype.STRING, Dtype.BOOL})
# A feature that is widened goes on counting into the same bins.
_WIDE = {Dtype.FLOAT32: Dtype.FLOAT64}


def are_edges(dtype: Dtype) -> bool:
    """Return whether the bins of ``dtype`` are ranges."""
    return dtype in _NUMBERS


def can_have(dtype: Dtype) -> bool:
    """Return whether values of ``dtype`` can be counted into bins."""
    return dtype in _NUMBERS or dtype in _CATEGORIES


def published(dtype: Dtype, bins: Bins) -> list[object]:
    """Return the edges or categories as a bundle has them: a float32 with the digits of its float64."""
    return [to_json(_WIDE.get(dtype, dtype), each) for each in bins]


def id_of(dtype: Dtype, bins: Bins) -> str:
    """Return the name of the bins: counts under one name were made by the same edges, and add up."""
    kind = "edges" if are_edges(dtype) else "categories"
    text = json.dumps([kind, published(dtype, bins)], separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def bin_of(dtype: Dtype, bins: Bins, value: Value) -> str:
    """Return the bin that a value of ``dtype`` is counted into."""
    if value is None:
        return NULL
    if not are_edges(dtype):
        return str(bins.index(value)) if value in bins else OTHER
    assert isinstance(value, int | float)
    if math.isnan(value):
        return NAN
    edges: Sequence[int | float] = [edge for edge in bins if isinstance(edge, int | float)]
    return str(bisect.bisect_right(edges, value))
