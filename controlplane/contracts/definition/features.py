"""Features of a view in a definition file: types, domains, defaults."""

import math
import re

import re2

from controlplane.contracts import bins
from controlplane.contracts.checks import compile_pattern
from controlplane.contracts.definition.entities import RESERVED_NAMES
from controlplane.contracts.definition.reading import Fields, shown
from controlplane.contracts.model import Feature
from controlplane.contracts.values import from_json
from controlplane.kernel.dtypes import Dtype, Scalar, Value
from controlplane.kernel.errors import Refused

MAX_PATTERN = 1_000
# Columns of an Arrow answer that stand beside the feature's own.
_RESERVED_ENDINGS = ("__verdict", "__age_us")
_RANGED = {Dtype.INT32, Dtype.INT64, Dtype.FLOAT32, Dtype.FLOAT64, Dtype.TIMESTAMP}
_FLOATS = {Dtype.FLOAT32, Dtype.FLOAT64}
# Which elements a check is for.
_CHECKED: dict[str, set[Dtype]] = {
    "min": _RANGED,
    "max": _RANGED,
    "allowed": {Dtype.STRING, Dtype.INT32, Dtype.INT64},
    "max_length": {Dtype.STRING, Dtype.BYTES},
    "pattern": {Dtype.STRING},
    "allow_nan": _FLOATS,
    "allow_inf": _FLOATS,
}
_LIST_CHECKS = ("min_items", "max_items")
_UNSUPPORTED_BY_GO = re.compile(r"(?<!\\)(?:\\\\)*\\C")


def read_feature(fields: Fields) -> Feature:
    name = fields.name()
    if name in RESERVED_NAMES or name.endswith(_RESERVED_ENDINGS):
        fields.wrong(
            "name", f"{name} cannot name a feature: rows or answers use that name", code="reserved_name"
        )
    dtype = _read_dtype(fields)
    feature = Feature(
        name=name,
        dtype=dtype or Dtype.STRING,
        nullable=fields.flag("nullable", default=True),
        minimum=_read_bound(fields, "min", dtype=dtype),
        maximum=_read_bound(fields, "max", dtype=dtype),
        allowed=_read_allowed(fields, dtype=dtype),
        max_length=fields.count("max_length"),
        pattern=_read_pattern(fields),
        min_items=fields.count("min_items"),
        max_items=fields.count("max_items"),
        allow_nan=fields.flag("allow_nan", default=False),
        allow_inf=fields.flag("allow_inf", default=False),
        default=_read_value(fields, "default", fields.raw("default"), dtype=dtype),
        description=fields.description(),
        bins=_read_bins(fields, dtype=dtype),
    )
    if dtype is not None:
        _check_applicable(fields, dtype=dtype)
    _check_order(fields, "min", feature.minimum, "max", feature.maximum)
    _check_order(fields, "min_items", feature.min_items, "max_items", feature.max_items)
    fields.done()
    return feature


def _read_dtype(fields: Fields) -> Dtype | None:
    raw = fields.raw("dtype")
    found = next((dtype for dtype in Dtype if dtype.value == raw), None)
    if found is None:
        allowed = ", ".join(dtype for dtype in Dtype if not dtype.is_list)
        expected = f"one of {allowed}, or list<...> of one"
        if raw is None:
            fields.missing("dtype", expected)
        else:
            fields.wrong("dtype", f"{shown(raw)} is no dtype: {expected}", code="bad_dtype")
    return found


def _read_value(fields: Fields, name: str, raw: object, *, dtype: Dtype | None) -> Value:
    """Return a value of the feature's own type; None also where its type is not known."""
    if raw is None or dtype is None:
        return None
    try:
        return from_json(dtype, raw)
    except Refused as refused:
        fields.wrong(name, refused.detail)
        return None


def _read_bound(fields: Fields, name: str, *, dtype: Dtype | None) -> int | float | None:
    raw = fields.raw(name)
    if dtype is None or dtype.element not in _RANGED:
        return None
    bound = _read_value(fields, name, raw, dtype=dtype.element)
    if isinstance(bound, float) and not math.isfinite(bound):
        fields.wrong(
            name, f"{shown(raw)} bounds nothing: a finite number is expected; leave {name} out for none"
        )
        return None
    assert bound is None or isinstance(bound, int | float)
    return bound


def _read_allowed(fields: Fields, *, dtype: Dtype | None) -> tuple[str | int, ...] | None:
    if not fields.has("allowed") or dtype is None or dtype.element not in _CHECKED["allowed"]:
        return None
    allowed: list[str | int] = []
    for path, raw in fields.items("allowed", expected="values"):
        try:
            value = from_json(dtype.element, raw)
        except Refused as refused:
            fields.problems.add(path, "bad_value", refused.detail)
            continue
        if not isinstance(value, str | int):
            fields.problems.add(path, "bad_value", "null is never one of the allowed: say nullable instead")
        elif value in allowed:
            fields.problems.add(path, "duplicate", f"{shown(raw)} is given twice")
        else:
            allowed.append(value)
    return tuple(allowed)


def _read_bins(fields: Fields, *, dtype: Dtype | None) -> bins.Bins | None:
    if not fields.has("bins") or dtype is None:
        return None
    if not bins.can_have(dtype):
        fields.wrong("bins", f"values of {dtype} are not counted into bins: numbers, strings and bools are")
        return None
    found: list[Scalar] = []
    for path, raw in fields.items("bins", expected="edges of numbers, or categories"):
        try:
            each = from_json(dtype, raw)
        except Refused as refused:
            fields.problems.add(path, "bad_value", refused.detail)
            continue
        if isinstance(each, list) or each is None or (isinstance(each, float) and not math.isfinite(each)):
            message = f"{shown(raw)} is neither an edge nor a category: nulls and NaN have bins of their own"
            fields.problems.add(path, "bad_value", message)
        elif each in found:
            fields.problems.add(path, "duplicate", f"{shown(raw)} is given twice")
        else:
            found.append(each)
    if not 1 <= len(found) <= bins.MOST:
        fields.wrong("bins", f"1 to {bins.MOST} edges or categories are expected")
    if bins.are_edges(dtype) and found != sorted(found):
        fields.wrong("bins", "edges rise from the first to the last")
    return tuple(found)


def _read_pattern(fields: Fields) -> str | None:
    raw = fields.raw("pattern")
    if raw is None:
        return None
    if not isinstance(raw, str) or len(raw) > MAX_PATTERN:
        fields.mistyped("pattern", f"a regular expression of at most {MAX_PATTERN} characters")
        return None
    try:
        compile_pattern(raw)
    except re2.error as wrong:
        said = wrong.args[0] if wrong.args else ""
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        fields.wrong("pattern", f"{shown(raw)} is no RE2 pattern: {reason}", code="bad_pattern")
        return None
    if _UNSUPPORTED_BY_GO.search(raw):
        fields.wrong("pattern", r"\C (one byte) is not supported: match characters", code="bad_pattern")
        return None
    return raw


def _check_applicable(fields: Fields, *, dtype: Dtype) -> None:
    for check, elements in _CHECKED.items():
        if fields.has(check) and dtype.element not in elements:
            applicable = [name for name, of in _CHECKED.items() if dtype.element in of]
            told = ", ".join(applicable) or "none"
            fields.wrong(check, f"{check} is no check for {dtype}; its checks are: {told}")
    for check in _LIST_CHECKS:
        if fields.has(check) and not dtype.is_list:
            fields.wrong(check, f"{check} is for lists; {dtype} is none")


def _check_order(fields: Fields, low: str, least: float | None, high: str, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        message = f"{low} {least} is above {high} {most}: no value can keep both"
        fields.wrong(low, message, code="unsatisfiable")
