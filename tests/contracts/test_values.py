"""Values from JSON, to JSON, and what is refused on the way."""

import base64
import math
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controlplane.contracts.values import from_json, render_timestamp, to_json
from controlplane.kernel.clock import to_us
from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import Refused
from tests.contracts.strategies import values

NOON = to_us(datetime(2026, 11, 1, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("dtype", "raw", "value"),
    [
        ("int64", 3, 3),
        ("int64", 3.0, 3),
        ("int64", -0.0, 0),
        ("int64", 1e18, 10**18),
        ("int64", 2**63 - 1, 2**63 - 1),
        ("int64", -(2**63), -(2**63)),
        ("int32", 2**31 - 1, 2**31 - 1),
        ("float64", 3, 3.0),
        ("float64", "Infinity", math.inf),
        ("float64", "-Infinity", -math.inf),
        ("float32", 0.5, 0.5),
        ("float32", 0.1, 0.10000000149011612),
        ("float32", 3.4028235e38, 3.4028234663852886e38),
        ("float32", 1e-50, 0.0),
        ("bool", True, True),
        ("string", "", ""),
        ("bytes", "AP8=", b"\x00\xff"),
        ("bytes", "", b""),
        ("timestamp", 5, 5),
        ("timestamp", -1, -1),
        ("timestamp", "2026-11-01T12:00:00Z", NOON),
        ("timestamp", "2026-11-01T12:00:00", NOON),
        ("timestamp", "2026-11-01t12:00:00z", NOON),
        ("timestamp", "2026-11-01 12:00:00", NOON),
        ("timestamp", "2026-11-01T13:30:00+01:30", NOON),
        ("timestamp", "2026-11-01T12:00:00.000001Z", NOON + 1),
        ("timestamp", "2026-11-01T12:00:00.1", NOON + 100_000),
        ("timestamp", "2026-11-01T12:00:00.123456000Z", NOON + 123_456),
        ("timestamp", "1969-12-31T23:59:59.999999Z", -1),
        ("list<int32>", [], []),
        ("list<float64>", [1, "NaN"], [1.0, math.nan]),
        ("list<timestamp>", ["2026-11-01T12:00:00Z", 0], [NOON, 0]),
        ("string", None, None),
        ("list<int32>", None, None),
    ],
)
def test_json_is_read(dtype, raw, value):
    read = from_json(Dtype(dtype), raw)
    assert repr(read) == repr(value)  # also tells 0.0 from -0.0, 1 from 1.0 and NaN


@pytest.mark.parametrize(
    ("dtype", "raw"),
    [
        ("int64", 2**63),
        ("int64", -(2**63) - 1),
        ("int64", 9.3e18),
        ("int32", 2**31),
        ("int32", -(2**31) - 1),
        ("int64", 1.5),
        ("int64", True),
        ("int64", "3"),
        ("int64", math.inf),
        ("int64", math.nan),
        ("float64", True),
        ("float64", "1.5"),
        ("float64", "nan"),
        ("float64", "inf"),
        ("float64", 10**400),
        ("float32", 3.5e38),
        ("float32", -1e39),
        ("bool", 1),
        ("bool", "true"),
        ("string", 5),
        ("string", "\ud800"),
        ("bytes", "AP8"),
        ("bytes", "A P8="),
        ("bytes", "_-8="),
        ("bytes", "é==="),
        ("bytes", [0]),
        ("timestamp", "2026-11-01"),
        ("timestamp", "2026-11-01T12:00Z"),
        ("timestamp", "2026-11-01T12:00:00.1234567Z"),
        ("timestamp", "2026-02-30T00:00:00Z"),
        ("timestamp", "2026-11-01T24:00:00Z"),
        ("timestamp", "2026-11-01T12:00:60Z"),
        ("timestamp", "2026-11-01T12:00:00+25:00"),
        ("timestamp", "2026-11-01T12:00:00 Z"),
        ("timestamp", "٢٠٢٦-11-01T12:00:00Z"),
        ("timestamp", "0000-01-01T00:00:00Z"),
        ("timestamp", "12:00"),
        ("timestamp", 1.5),
        ("timestamp", True),
        ("timestamp", 2**63),
        ("list<int32>", 5),
        ("list<int32>", "[]"),
        ("list<int32>", [1, None]),
        ("list<int32>", [1, "2"]),
        ("list<string>", [["a"]]),
        ("list<string>", {"a": 1}),
    ],
)
def test_what_does_not_fit_is_refused_and_named(dtype, raw):
    with pytest.raises(Refused) as refused:
        from_json(Dtype(dtype), raw)
    assert refused.value.code == "bad_value"
    assert "is expected" in refused.value.detail


def test_a_refusal_quotes_no_more_than_a_glance():
    with pytest.raises(Refused) as refused:
        from_json(Dtype.INT32, "x" * 10_000)
    assert len(refused.value.detail) < 200


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.FLOAT64])
def test_minus_zero_is_zero(dtype):
    assert math.copysign(1, from_json(dtype, -0.0)) == 1
    assert math.copysign(1, from_json(Dtype(f"list<{dtype}>"), [-0.0])[0]) == 1
    assert math.copysign(1, from_json(dtype, -1e-400)) == 1


@given(st.data(), st.sampled_from(list(Dtype)))
def test_a_value_comes_back_from_json(data, dtype):
    value = data.draw(values(dtype))
    assert repr(from_json(dtype, to_json(dtype, value))) == repr(value)


@given(st.floats(width=32, allow_nan=False))
@example(0.1)
@example(3.4028234663852886e38)
@example(1.401298464324817e-45)
def test_a_float32_is_written_with_as_few_digits_as_name_it(number):
    number = from_json(Dtype.FLOAT32, number)
    written = to_json(Dtype.FLOAT32, number)
    if math.isfinite(number):
        assert struct.pack("<f", written) == struct.pack("<f", number)
        assert len(repr(written)) <= len(repr(number))
    assert to_json(Dtype.FLOAT32, from_json(Dtype.FLOAT32, 0.1)) == 0.1


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_a_timestamp_is_exact_to_the_microsecond(instant):
    assert from_json(Dtype.TIMESTAMP, instant.isoformat()) == to_us(instant)
    assert from_json(Dtype.TIMESTAMP, render_timestamp(to_us(instant))) == to_us(instant)


def test_a_timestamp_beyond_the_calendar_is_written_as_microseconds():
    assert render_timestamp(2**63 - 1) == 2**63 - 1


@given(st.binary(max_size=40))
def test_bytes_travel_as_base64(data):
    assert from_json(Dtype.BYTES, base64.b64encode(data).decode()) == data


@given(
    st.sampled_from(list(Dtype)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ),
)
def test_any_json_is_read_or_refused(dtype, raw):
    try:
        value = from_json(dtype, raw)
    except Refused:
        return
    assert repr(from_json(dtype, to_json(dtype, value))) == repr(value)
