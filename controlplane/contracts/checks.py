"""Whether a value lies in the domain of its feature.

Ingestion asks before it writes, serving asks again when it reads, with the same answer.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import re2

from controlplane.contracts.model import Feature
from controlplane.kernel.dtypes import Dtype, Scalar, Value

_Check = Callable[[Feature, Scalar], bool]


def violation(feature: Feature, value: Value) -> str | None:
    """Return why ``value``, which has the feature's dtype, breaks the contract; None when it keeps it.

    Reasons: not_nullable, min_items, max_items, nan, inf, min, max, allowed, max_length, pattern. Where
    several apply, the first in that order; of a list, that of the first element which breaks any.
    """
    if value is None:
        return None if feature.nullable else "not_nullable"
    if not isinstance(value, list):
        return _violation_of_one(feature, value)
    if feature.min_items is not None and len(value) < feature.min_items:
        return "min_items"
    if feature.max_items is not None and len(value) > feature.max_items:
        return "max_items"
    reasons = (_violation_of_one(feature, item) for item in value)
    return next((reason for reason in reasons if reason is not None), None)


@lru_cache(maxsize=1_024)
def compile_pattern(pattern: str) -> object:
    """Return the RE2 program of ``pattern``; re2.error when it is none."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def _violation_of_one(feature: Feature, value: Scalar) -> str | None:
    checks = _CHECKS[feature.dtype.element]
    return next((reason for reason, breaks in checks if breaks(feature, value)), None)


def _is_forbidden_nan(feature: Feature, value: Scalar) -> bool:
    assert isinstance(value, float)
    return math.isnan(value) and not feature.allow_nan


def _is_forbidden_inf(feature: Feature, value: Scalar) -> bool:
    assert isinstance(value, float)
    return math.isinf(value) and not feature.allow_inf


# A NaN that is allowed is neither below a minimum nor above a maximum: it compares with nothing.
def _is_below_min(feature: Feature, value: Scalar) -> bool:
    assert isinstance(value, int | float)
    return feature.minimum is not None and value < feature.minimum


def _is_above_max(feature: Feature, value: Scalar) -> bool:
    assert isinstance(value, int | float)
    return feature.maximum is not None and value > feature.maximum


def _is_not_allowed(feature: Feature, value: Scalar) -> bool:
    return feature.allowed is not None and value not in feature.allowed


def _is_too_long(feature: Feature, value: Scalar) -> bool:
    """A str counts code points, bytes count bytes: that is what ``len`` says of each."""
    assert isinstance(value, str | bytes)
    return feature.max_length is not None and len(value) > feature.max_length


def _is_no_match(feature: Feature, value: Scalar) -> bool:
    if feature.pattern is None:
        return False
    return compile_pattern(feature.pattern).fullmatch(value) is None  # type: ignore[attr-defined]


_NAN_INF = (("nan", _is_forbidden_nan), ("inf", _is_forbidden_inf))
_RANGE = (("min", _is_below_min), ("max", _is_above_max))
_ALLOWED = ("allowed", _is_not_allowed)
_LENGTH = ("max_length", _is_too_long)

_CHECKS: dict[Dtype, tuple[tuple[str, _Check], ...]] = {
    Dtype.INT32: (*_RANGE, _ALLOWED),
    Dtype.INT64: (*_RANGE, _ALLOWED),
    Dtype.FLOAT32: (*_NAN_INF, *_RANGE),
    Dtype.FLOAT64: (*_NAN_INF, *_RANGE),
    Dtype.BOOL: (),
    Dtype.STRING: (_ALLOWED, _LENGTH, ("pattern", _is_no_match)),
    Dtype.BYTES: (_LENGTH,),
    Dtype.TIMESTAMP: _RANGE,
}
