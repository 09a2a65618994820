"""Which rule a value breaks; the vectors hold the table, here are the laws."""

import math

from hypothesis import given
from hypothesis import strategies as st

from controlplane.contracts.checks import violation
from controlplane.contracts.model import Feature
from controlplane.kernel.dtypes import Dtype
from tests.contracts.strategies import features, values

LISTS = tuple(dtype for dtype in Dtype if dtype.is_list)


@given(st.data())
def test_a_list_breaks_what_its_first_bad_element_breaks(data):
    feature = data.draw(features("x", dtypes=LISTS))
    items = data.draw(values(feature.dtype)) or []
    element = Feature(
        "x",
        feature.dtype.element,
        minimum=feature.minimum,
        maximum=feature.maximum,
        allowed=feature.allowed,
        max_length=feature.max_length,
        pattern=feature.pattern,
        allow_nan=feature.allow_nan,
        allow_inf=feature.allow_inf,
    )
    broken = [violation(element, item) for item in items]
    least, most = feature.min_items or 0, math.inf if feature.max_items is None else feature.max_items
    if len(items) < least:
        expected = "min_items"
    elif len(items) > most:
        expected = "max_items"
    else:
        expected = next((reason for reason in broken if reason), None)
    assert violation(feature, items) == expected


@given(st.data(), st.sampled_from(list(Dtype)))
def test_without_rules_only_nulls_and_strange_floats_are_told(data, dtype):
    value = data.draw(values(dtype))
    reason = violation(Feature("x", dtype, nullable=False), value)
    assert (reason == "not_nullable") == (value is None)
    if not dtype.is_float:
        assert reason in (None, "not_nullable")


@given(st.data(), st.sampled_from([Dtype.INT32, Dtype.INT64, Dtype.TIMESTAMP, Dtype.FLOAT32, Dtype.FLOAT64]))
def test_a_value_is_its_own_bound(data, dtype):
    number = data.draw(values(dtype).filter(lambda value: value is not None and math.isfinite(value)))
    assert violation(Feature("x", dtype, minimum=number, maximum=number), number) is None


@given(st.text(max_size=8))
def test_length_counts_code_points(text):
    exact = Feature("x", Dtype.STRING, max_length=len([*text]))
    assert violation(exact, text) is None
    if text:
        assert violation(Feature("x", Dtype.STRING, max_length=len([*text]) - 1), text) == "max_length"
