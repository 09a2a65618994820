"""Bins: into which a value is counted, and how bins are named and published."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.contracts import bins
from controlplane.contracts.definition import parse
from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import Refused
from tests.contracts.story import document
from tests.contracts.strategies import bins as some_bins
from tests.contracts.strategies import values

BINNED = [dtype for dtype in Dtype if bins.can_have(dtype)]


@pytest.mark.parametrize(
    ("dtype", "edges", "value", "expected"),
    [
        (Dtype.FLOAT64, (0.0, 10.0), -0.1, "0"),
        (Dtype.FLOAT64, (0.0, 10.0), 0.0, "1"),
        (Dtype.FLOAT64, (0.0, 10.0), -0.0, "1"),
        (Dtype.FLOAT64, (0.0, 10.0), 9.999, "1"),
        (Dtype.FLOAT64, (0.0, 10.0), 10.0, "2"),
        (Dtype.FLOAT64, (0.0, 10.0), math.inf, "2"),
        (Dtype.FLOAT64, (0.0, 10.0), -math.inf, "0"),
        (Dtype.FLOAT64, (0.0, 10.0), math.nan, "nan"),
        (Dtype.FLOAT64, (0.0, 10.0), None, "null"),
        (Dtype.INT64, (-(2**63), 0), -(2**63), "1"),
        (Dtype.INT64, (2**63 - 1,), 2**63 - 1, "1"),
        (Dtype.STRING, ("UA", "AA"), "AA", "1"),
        (Dtype.STRING, ("UA", "AA"), "aa", "other"),
        (Dtype.STRING, ("UA", "AA"), None, "null"),
        (Dtype.BOOL, (True,), True, "0"),
        (Dtype.BOOL, (True,), False, "other"),
    ],
)
def test_each_value_has_one_bin(dtype, edges, value, expected):
    assert bins.bin_of(dtype, edges, value) == expected


@given(st.data())
def test_a_number_lies_in_as_high_a_bin_as_it_has_reached_edges(data):
    dtype = data.draw(st.sampled_from([dtype for dtype in BINNED if bins.are_edges(dtype)]))
    edges, value = data.draw(some_bins(dtype)), data.draw(values(dtype))
    found = bins.bin_of(dtype, edges, value)
    if value is None or math.isnan(value):
        assert found in ("null", "nan")
    else:
        assert int(found) == sum(edge <= value for edge in edges)


def test_a_widened_feature_goes_on_counting_into_the_same_bins():
    assert bins.id_of(Dtype.FLOAT32, (0.5, 0.1)) == bins.id_of(Dtype.FLOAT64, (0.5, 0.1))
    assert bins.id_of(Dtype.INT32, (1, 2)) == bins.id_of(Dtype.INT64, (1, 2))


def test_other_edges_have_another_id():
    ids = [
        bins.id_of(dtype, edges)
        for dtype, edges in [
            (Dtype.INT64, (1, 2)),
            (Dtype.INT64, (1, 3)),
            (Dtype.INT64, (1,)),
            (Dtype.STRING, ("1", "2")),
            (Dtype.STRING, ("2", "1")),
            (Dtype.BOOL, (True,)),
        ]
    ]
    assert len(set(ids)) == len(ids)
    assert (
        bins.id_of(Dtype.INT64, (0, 10, 60)) == "da1b6eb9ed05ce43"
    )  # stored counts name it: it must never change


def test_the_definition_keeps_them_as_they_were_written():
    written = document()
    written["feature_views"][0]["features"][0]["bins"] = [-15, 0, 15.5, 60]
    parsed = parse(written)
    assert parsed.feature_views[0].features[0].bins == (-15.0, 0.0, 15.5, 60.0)
    assert parse(json.loads(json.dumps(parsed.to_document()))) == parsed


@pytest.mark.parametrize("dtype", [dtype for dtype in Dtype if not bins.can_have(dtype)], ids=str)
def test_some_dtypes_have_no_bins(dtype):
    written = document()
    feature = {"name": "x", "dtype": dtype.value, "bins": [1]}
    written["feature_views"][0]["features"].append(feature)
    with pytest.raises(Refused, match="not counted into bins"):
        parse(written)
