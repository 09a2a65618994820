"""Feast's hashes on a real Redis, as real Feast 0.67 wrote them (tests/golden/feast_redis_program.py)."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import Refused, Unavailable
from store_adapters import (
    Column,
    CorruptRow,
    Lane,
    Layout,
    RowWrite,
    Watermark,
    decode_header,
    decode_row,
    encode_key,
    open_store,
)
from store_adapters.errors import CorruptValue
from store_adapters.feast_values import Mistyped, decode_time, decode_value, field_of
from tests.store_adapters.conformance.conftest import server_url

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "feast_redis.json").read_text())
PROJECT = GOLDEN["project"]
LAYOUT = Layout(3, tuple(Column(each["name"], Dtype(each["dtype"])) for each in GOLDEN["columns"]))
FULL = {
    "an_int32": -7,
    "an_int64": 2**53 + 1,
    "a_float": 0.5,
    "a_double": -120.25,
    "a_bool": True,
    "a_text": "grün",
    "a_blob": b"\x00\xff",
    "a_time": 1_793_534_400_000_000,
    "int32s": [1, -2],
    "int64s": [3, -4],
    "floats": [0.25, -1.5],
    "doubles": [0.1, 1e300],
    "bools": [True, False],
    "texts": ["a", "", "ü"],
    "blobs": [b"\x01", b""],
    "times": [0, 1_793_491_200_000_000],
}


def driver(number):
    return encode_key([("driver_id", Dtype.INT64, number)])


@pytest.fixture
def url():
    url = server_url("redis")
    client = Redis.from_url(url)
    for record in GOLDEN["records"]:
        fields = {bytes.fromhex(name): bytes.fromhex(value) for name, value in record["fields"].items()}
        client.delete(bytes.fromhex(record["key"]))
        client.hset(bytes.fromhex(record["key"]), mapping=fields)
    yield url
    client.delete(*(bytes.fromhex(record["key"]) for record in GOLDEN["records"]))
    client.close()


@pytest.fixture
def store(url):
    opened = open_store(f"feast+{url}")
    yield opened
    opened.close()


def values(store, number, layout=LAYOUT):
    (data,) = store.read_rows(PROJECT, "everything", [driver(number)], layout=layout)
    used = store.read_layout(PROJECT, "everything", decode_header(data).layout_number) or layout
    row = decode_row(data, used)
    return row, {column.name: value for column, value in zip(used.columns, row.values, strict=True)}


pytestmark = pytest.mark.redis


def test_every_type_that_feast_writes_is_read_back(store):
    row, found = values(store, 1001)
    assert found == FULL
    assert (row.event_time_us, row.lane) == (GOLDEN["event_time_us"], Lane.BATCH)


def test_zeros_are_values_and_nulls_are_null(store):
    _, zeros = values(store, 1002)
    assert [zeros[name] for name in ("an_int32", "a_bool", "a_text", "a_double")] == [0, False, "", 0.0]
    _, nulls = values(store, 1003)
    assert nulls.pop("an_int64") == 5
    assert set(map(str, nulls.values())) <= {"None", "[]"}, nulls


def test_a_key_or_view_that_was_never_written_has_no_row(store):
    assert store.read_rows(PROJECT, "everything", [driver(9999)], layout=LAYOUT) == [None]
    assert store.read_rows(PROJECT, "pairs", [driver(1001)], layout=LAYOUT) == [None]


def test_a_value_of_another_type_is_stored_under_a_type_nobody_reads_it_by(store):
    other = {"a_text": Dtype.INT64, "a_bool": Dtype.STRING}
    layout = Layout(3, tuple(Column(c.name, other.get(c.name, c.dtype)) for c in LAYOUT.columns))
    (data,) = store.read_rows(PROJECT, "everything", [driver(1001)], layout=layout)
    used = store.read_layout(PROJECT, "everything", decode_header(data).layout_number)
    types = {column.name: column.dtype for column in used.columns}
    assert (types["a_text"], types["a_bool"], types["a_double"]) == (Dtype.BOOL, Dtype.BOOL, Dtype.FLOAT64)


def test_bytes_that_are_not_feasts_are_a_corrupt_row(store, url):
    with Redis.from_url(url) as client:
        client.hset(driver(1002) + PROJECT.encode(), field_of("everything", "an_int64"), b"\x20")
        client.hdel(driver(1003) + PROJECT.encode(), "_ts:everything")
    for data in store.read_rows(PROJECT, "everything", [driver(1002), driver(1003)], layout=LAYOUT):
        with pytest.raises(CorruptRow):
            decode_header(data)


def test_keys_are_sampled_in_their_order_view_by_view(store):
    keys = [driver(number) for number in (1001, 1002, 1003)]
    assert store.sample_keys(PROJECT, "everything", limit=10) == keys
    assert store.sample_keys(PROJECT, "everything", limit=1, after=keys[0]) == keys[1:2]
    (pair,) = store.sample_keys(PROJECT, "pairs", limit=10)
    assert pair == encode_key([("driver_id", Dtype.INT64, 1001), ("customer_id", Dtype.STRING, "C-1")])


def test_keys_of_a_project_whose_name_ends_like_ours_are_not_ours(store, url):
    other = driver(7) + b"not_" + PROJECT.encode()
    with Redis.from_url(url) as client:
        client.hset(other, "_ts:everything", b"")
        try:
            assert store.sample_keys(PROJECT, "everything", limit=10) == [
                driver(number) for number in (1001, 1002, 1003)
            ]
        finally:
            client.delete(other)


def test_it_says_what_it_is_and_has_no_watermarks(store):
    store.ping()
    told = store.describe()
    assert told.kind == "feast-redis" and told.address.startswith("feast+redis://")
    assert store.read_watermarks(PROJECT) == {}
    assert abs(store.clock_us()) > 0


def test_nothing_is_ever_written(store):
    attempts = [
        lambda: store.write_rows(PROJECT, "v", [RowWrite(driver(1), b"")], run_number=1),
        lambda: store.delete_rows(PROJECT, "v", [driver(1)]),
        lambda: store.write_watermark(PROJECT, "v", Lane.BATCH, Watermark(1, 1)),
        lambda: store.write_layout(PROJECT, "v", LAYOUT),
    ]
    for attempt in attempts:
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code == "store_read_only"
    assert store.purge_view(PROJECT, "everything") == store.sweep_expired(now_us=2**60, limit=10) == 0
    assert values(store, 1001)[1] == FULL


def test_rows_cannot_be_read_without_their_layout(store):
    with pytest.raises(Refused, match="without their layout"):
        store.read_rows(PROJECT, "everything", [driver(1001)])


def test_a_server_that_is_away_is_told_without_its_password():
    store = open_store("feast+redis://:hunter2@127.0.0.1:1/0", timeout_seconds=0.2)
    with pytest.raises(Unavailable, match=r"feast\+redis://127.0.0.1:1/0 could not read rows") as told:
        store.read_rows(PROJECT, "everything", [driver(1)], layout=LAYOUT)
    assert "hunter2" not in told.value.detail


def test_field_names_are_feasts():
    assert field_of("driver_stats", "conv_rate").hex() == "fa731014"


@pytest.mark.parametrize(
    ("data", "dtype", "value"),
    [
        ("", Dtype.INT64, None),
        ("980100", Dtype.INT64, None),
        ("2007", Dtype.STRING, Mistyped.VALUE),
        ("2007", Dtype.INT32, Mistyped.VALUE),
        ("1807", Dtype.INT64, 7),
        ("a20100", Dtype.INT64, Mistyped.VALUE),
        ("4080808080808080808001", Dtype.TIMESTAMP, None),
        ("1201ff", Dtype.STRING, Mistyped.VALUE),
        ("20073801", Dtype.BOOL, True),
        ("720408010802", Dtype.LIST_INT64, [1, 2]),
        ("29000000000000f87f", Dtype.FLOAT64, math.nan),
    ],
)
def test_values_by_hand(data, dtype, value):
    found = decode_value(bytes.fromhex(data), dtype)
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "data", ["20", "08", "1205aa", "72030a05", "29000000", "00", "ffffffffffffffffffff01"]
)
def test_bytes_that_are_no_protobuf_are_corrupt(data):
    with pytest.raises(CorruptValue):
        decode_value(bytes.fromhex(data), Dtype.LIST_INT64)


@given(st.binary(max_size=40), st.sampled_from(list(Dtype)))
def test_no_bytes_do_more_than_be_refused(data, dtype):
    for decode in (lambda: decode_value(data, dtype), lambda: decode_time(data)):
        try:
            decode()
        except CorruptValue:
            continue
