"""Rows to bytes and back: the format by hand, properties, and bytes nobody should have written."""

import math
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel.dtypes import Dtype, Value
from controlplane.kernel.errors import Refused
from store_adapters import (
    Lane,
    Layout,
    Row,
    decode_header,
    decode_row,
    encode_row,
    order_key,
    same_content,
)
from tests.store_adapters.by_hand import MIXED, MIXED_BODY, ROW, header, seal
from tests.store_adapters.golden_cases import layout_of, row_of
from tests.store_adapters.strategies import LAYOUTS_AND_ROWS


def test_a_row_is_the_bytes_of_the_format_laid_out_by_hand():
    data = seal(header() + MIXED_BODY)
    assert encode_row(ROW, MIXED) == data
    assert decode_row(data, MIXED) == ROW


@given(LAYOUTS_AND_ROWS)
def test_a_row_reads_back_as_the_same_bytes(case: tuple[Layout, Row]):
    layout, row = case
    data = encode_row(row, layout)
    read = decode_row(data, layout)
    assert encode_row(read, layout) == data
    assert replace(read, values=()) == replace(row, values=())
    assert [_comparable(value) for value in read.values] == [_comparable(value) for value in row.values]
    header = decode_header(data)
    for field in header.__slots__:
        assert getattr(header, field) == getattr(row, field)


def _comparable(value: Value) -> object:
    """NaN equals itself; 0.0 equals -0.0 anyway."""
    if isinstance(value, list):
        return [_comparable(element) for element in value]
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


@given(LAYOUTS_AND_ROWS, LAYOUTS_AND_ROWS)
def test_order_keys_order_as_event_time_lane_and_position_do(one: tuple, other: tuple):
    lanes = [Lane.BATCH, Lane.STREAM, Lane.DIRECT]
    (a, row_a), (b, row_b) = one, other
    left = (row_a.event_time_us, lanes.index(row_a.lane), row_a.position)
    right = (row_b.event_time_us, lanes.index(row_b.lane), row_b.position)
    key_a, key_b = order_key(encode_row(row_a, a)), order_key(encode_row(row_b, b))
    assert (key_a < key_b, key_a == key_b) == (left < right, left == right)


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.FLOAT64, Dtype.LIST_FLOAT32, Dtype.LIST_FLOAT64])
def test_zeros_and_nans_have_one_bit_pattern_each(dtype: Dtype):
    layout = layout_of(dtype)
    (negative_nan,) = struct.unpack("<d", bytes.fromhex("000000000000f8ff"))

    def stored(value: float) -> bytes:
        return encode_row(row_of(layout, [value] if dtype.is_list else value), layout)

    assert stored(-0.0) == stored(0.0)
    assert stored(negative_nan) == stored(math.nan)
    assert stored(-math.nan) == stored(math.nan)
    pattern = "0000c07f" if dtype.element is Dtype.FLOAT32 else "000000000000f87f"
    assert stored(math.nan)[:-4].hex().endswith(pattern)
    if dtype.element is Dtype.FLOAT32:
        assert stored(-(2.0**-150)) == stored(-1e-300) == stored(0.0)
        assert stored(-(2.0**-149)) != stored(0.0)


@given(st.floats())
def test_no_float32_is_stored_as_negative_zero(value: float):
    layout = layout_of(Dtype.FLOAT32)
    try:
        data = encode_row(row_of(layout, value), layout)
    except Refused:
        assert abs(value) > 3.4028235677973366e38 - 1e30
        return
    assert data[41:45] != struct.pack("<f", -0.0)


WRONG: list[tuple[Dtype, object, str]] = [
    (Dtype.INT32, 2**31, "f0 is 2147483648, outside int32"),
    (Dtype.INT64, -(2**63) - 1, "outside int64"),
    (Dtype.TIMESTAMP, 2**63, "outside timestamp"),
    (Dtype.INT64, True, "f0 is a bool, not int64"),
    (Dtype.INT64, 1.0, "f0 is a float, not int64"),
    (Dtype.BOOL, 1, "f0 is a int, not bool"),
    (Dtype.FLOAT32, 1e39, "outside float32"),
    (Dtype.FLOAT64, 10**400, "f0 is too great for float64"),
    (Dtype.FLOAT64, True, "f0 is a bool, not float64"),
    (Dtype.FLOAT64, "1", "f0 is a str, not float64"),
    (Dtype.STRING, b"x", "f0 is a bytes, not string"),
    (Dtype.STRING, "\ud800", "f0 is no valid Unicode: surrogates not allowed"),
    (Dtype.BYTES, "x", "f0 is a str, not bytes"),
    (Dtype.STRING, ["x"], "f0 is a list, not string"),
    (Dtype.LIST_INT32, 1, "f0 is a int, not list<int32>"),
    (Dtype.LIST_INT32, [1, None], r"f0\[1\] is null, not int32"),
    (Dtype.LIST_INT32, [2**31], "f0 has an element outside int32"),
    (Dtype.LIST_FLOAT32, [0.0, 1e39], "f0 has an element outside float32"),
    (Dtype.LIST_BOOL, [True, 0], r"f0\[1\] is a int, not bool"),
    (Dtype.LIST_STRING, ["a", None], r"f0\[1\] is null, not string"),
    (Dtype.LIST_STRING, ["a", "\udc00"], r"f0\[1\] is no valid Unicode"),
    (Dtype.LIST_BYTES, [b"a", "a"], r"f0\[1\] is a str, not bytes"),
]


@pytest.mark.parametrize(("dtype", "value", "told"), WRONG)
def test_a_value_of_another_type_is_refused_by_column(dtype: Dtype, value: object, told: str):
    layout = layout_of(dtype)
    with pytest.raises(Refused, match=told) as caught:
        encode_row(row_of(layout, value), layout)  # type: ignore[arg-type]
    assert caught.value.code == "bad_value"
    both = layout_of(Dtype.FLOAT64, dtype)
    with pytest.raises(Refused, match=told.replace("f0", "f1")):
        encode_row(row_of(both, None, value), both)  # type: ignore[arg-type]


def test_whole_numbers_are_good_floats():
    layout = layout_of(Dtype.FLOAT64, Dtype.FLOAT32, Dtype.LIST_FLOAT64)
    whole, floats = row_of(layout, 3, -1, [2, 0.5]), row_of(layout, 3.0, -1.0, [2.0, 0.5])
    assert encode_row(whole, layout) == encode_row(floats, layout)


@pytest.mark.parametrize(
    "changes",
    [
        {"position": 2**62},
        {"position": -1},
        {"event_time_us": 2**63},
        {"event_time_us": -(2**63) - 1},
        {"write_time_us": 2**63},
        {"run_number": -1},
        {"run_number": 2**64},
        {"layout_number": 2},
        {"values": ()},
        {"values": (1, 2)},
        {"tombstone": True},
    ],
    ids=str,
)
def test_a_row_that_does_not_fit_the_header_or_layout_is_refused(changes: dict):
    layout = layout_of(Dtype.INT64)
    with pytest.raises(Refused):
        encode_row(replace(row_of(layout, 1), **changes), layout)


def test_a_layout_number_beyond_32_bits_is_refused():
    layout = layout_of(number=2**32)
    with pytest.raises(Refused, match="32"):
        encode_row(row_of(layout), layout)


SAME = {
    "position": {"position": 8},
    "run": {"run_number": 4},
    "write time": {"write_time_us": 5},
    "lane": {"lane": Lane.DIRECT},
}
OTHER = {
    "event time": {"event_time_us": 1_000_001},
    "held": {"held": False},
    "clamped": {"clamped": True},
    "a value": {"values": ("né", -3, *ROW.values[2:])},
    "a null": {"values": (None, *ROW.values[1:])},
    "tombstone": {"tombstone": True, "values": MIXED.nulls},
}


@pytest.mark.parametrize("change", SAME)
def test_content_is_the_same_whatever_its(change: str):
    assert same_content(encode_row(ROW, MIXED), encode_row(replace(ROW, **SAME[change]), MIXED))


@pytest.mark.parametrize("change", OTHER)
def test_content_differs_by(change: str):
    assert not same_content(encode_row(ROW, MIXED), encode_row(replace(ROW, **OTHER[change]), MIXED))


def test_content_differs_by_layout_and_fragments_are_the_same_as_nothing():
    one, two = layout_of(Dtype.INT64, number=1), layout_of(Dtype.INT64, number=2)
    assert not same_content(encode_row(row_of(one, 1), one), encode_row(row_of(two, 1), two))
    assert not same_content(b"", b"")
    assert not same_content(b"x" * 43, b"x" * 43)
