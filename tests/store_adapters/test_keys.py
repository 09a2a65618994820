"""Entity keys: Feast's bytes, everything else refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel.dtypes import KEY_DTYPES, Dtype
from controlplane.kernel.errors import Refused
from store_adapters import CorruptKey, KeyCodec, decode_key, encode_key

# Written by Feast 0.67, not by us.
FEAST = [
    (
        [("driver_id", Dtype.INT64, 1001)],
        "0100000002000000090000006472697665725f69640400000008000000e903000000000000",
    ),
    (
        [("driver_id", Dtype.INT64, 1001), ("customer_id", Dtype.STRING, "C-1")],
        "02000000020000000b000000637573746f6d65725f696402000000090000006472697665725f6964"
        "0200000003000000432d310400000008000000e903000000000000",
    ),
    ([("__dummy_id", Dtype.STRING, "")], "01000000020000000a0000005f5f64756d6d795f69640200000000000000"),
]

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = {
    Dtype.INT32: st.integers(-(2**31), 2**31 - 1),
    Dtype.INT64: st.integers(-(2**63), 2**63 - 1),
    Dtype.STRING: TEXT,
    Dtype.BYTES: st.binary(),
}


def _join_key(name: str) -> st.SearchStrategy:
    return st.sampled_from(sorted(VALUES)).flatmap(
        lambda dtype: VALUES[dtype].map(lambda value: (name, dtype, value))
    )


KEYS = st.lists(TEXT, min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.tuples(*[_join_key(name) for name in names]).map(list)
)


@pytest.mark.parametrize(("join_keys", "expected"), FEAST, ids=["one", "two", "entity-less"])
def test_keys_are_the_bytes_that_feast_writes(join_keys: list, expected: str):
    assert encode_key(join_keys).hex() == expected
    assert decode_key(bytes.fromhex(expected)) == sorted(join_keys)


@given(KEYS)
def test_a_key_reads_back_sorted_by_name(join_keys: list):
    data = encode_key(join_keys)
    assert decode_key(data) == sorted(join_keys, key=lambda join_key: join_key[0])
    assert encode_key(list(reversed(join_keys))) == data


@given(KEYS, KEYS)
def test_different_keys_are_different_bytes(one: list, other: list):
    same = sorted(one, key=lambda k: k[0]) == sorted(other, key=lambda k: k[0])
    assert (encode_key(one) == encode_key(other)) is same


def test_a_codec_takes_values_in_the_order_of_its_declaration():
    codec = KeyCodec([("driver_id", Dtype.INT64), ("customer_id", Dtype.STRING)])
    assert codec.encode([1001, "C-1"]).hex() == FEAST[1][1]
    with pytest.raises(Refused, match="1 values for 2 join keys"):
        codec.encode([1001])


def test_two_spellings_of_a_letter_are_two_entities():
    assert encode_key([("k", Dtype.STRING, "\u00e9")]) != encode_key([("k", Dtype.STRING, "e\u0301")])


@pytest.mark.parametrize(
    ("dtype", "value", "told"),
    [
        (Dtype.INT32, 2**31, "join key 'k' is 2147483648, outside int32"),
        (Dtype.INT32, -(2**31) - 1, "outside int32"),
        (Dtype.INT64, 2**63, "outside int64"),
        (Dtype.INT64, -(2**63) - 1, "outside int64"),
        (Dtype.INT64, True, "join key 'k' is a bool, not int64"),
        (Dtype.INT64, 1.0, "is a float, not int64"),
        (Dtype.INT64, "1", "is a str, not int64"),
        (Dtype.INT64, None, "join key 'k' is null, not int64"),
        (Dtype.STRING, None, "is null, not string"),
        (Dtype.STRING, b"x", "is a bytes, not string"),
        (Dtype.STRING, "\ud800", "no valid Unicode: surrogates not allowed"),
        (Dtype.STRING, "a\udcffb", "no valid Unicode: surrogates not allowed"),
        (Dtype.BYTES, "x", "is a str, not bytes"),
        (Dtype.BYTES, bytearray(b"x"), "is a bytearray, not bytes"),
    ],
)
def test_a_value_that_is_no_key_is_refused_by_name(dtype: Dtype, value: object, told: str):
    with pytest.raises(Refused, match=told) as caught:
        encode_key([("k", dtype, value)])  # type: ignore[list-item]
    assert caught.value.code == "bad_value"


@pytest.mark.parametrize("dtype", sorted(set(Dtype) - KEY_DTYPES))
def test_other_dtypes_are_no_keys(dtype: Dtype):
    with pytest.raises(Refused, match="allowed are bytes, int32, int64, string") as caught:
        encode_key([("k", dtype, 1)])
    assert caught.value.code == "bad_dtype"


@pytest.mark.parametrize(
    "names", [[], ["a", "a"], ["a", "b", "a"]], ids=["no join key", "one twice", "one twice, apart"]
)
def test_join_keys_need_names_of_their_own(names: list[str]):
    with pytest.raises(Refused, match="different names"):
        encode_key([(name, Dtype.INT64, 1) for name in names])


def test_a_name_that_is_no_unicode_is_refused():
    with pytest.raises(Refused, match="surrogates"):
        encode_key([("\ud800", Dtype.INT64, 1)])


def _name(raw: bytes) -> bytes:
    return struct.pack("<II", 2, len(raw)) + raw


ONE = struct.pack("<I", 1) + _name(b"k")
TWO = struct.pack("<I", 2)
BAD = {
    "empty": b"",
    "half a count": b"\x01\x00",
    "no join keys": struct.pack("<I", 0),
    "a count beyond the data": struct.pack("<I", 2**32 - 1) + b"x" * 100,
    "a name of another type": struct.pack("<III", 1, 1, 1) + b"k" + struct.pack("<IIq", 4, 8, 1),
    "a name that is not UTF-8": struct.pack("<I", 1) + _name(b"\xff") + struct.pack("<IIq", 4, 8, 1),
    "a value that is not UTF-8": ONE + _name(b"\xed\xa0\x80"),
    "an int64 of four bytes": ONE + struct.pack("<IIi", 4, 4, 1),
    "an int32 of eight bytes": ONE + struct.pack("<IIq", 3, 8, 1),
    "Feast's timestamp": ONE + struct.pack("<IIq", 8, 8, 1),
    "a length beyond the data": ONE + struct.pack("<II", 2, 9) + b"x",
    "a value cut off": ONE + struct.pack("<II", 4, 8) + b"1234567",
    "bytes after the end": ONE + struct.pack("<IIq", 4, 8, 1) + b"\x00",
    "names out of order": TWO + _name(b"b") + _name(b"a") + struct.pack("<IIqIIq", 4, 8, 1, 4, 8, 1),
    "one name twice": TWO + _name(b"a") + _name(b"a") + struct.pack("<IIqIIq", 4, 8, 1, 4, 8, 1),
}


@pytest.mark.parametrize("case", BAD)
def test_bytes_that_are_no_key_are_corrupt(case: str):
    with pytest.raises(CorruptKey) as caught:
        decode_key(BAD[case])
    assert caught.value.reason


@given(st.binary(max_size=80))
def test_random_bytes_are_a_key_or_corrupt(data: bytes):
    _decode_or_corrupt(data)


@given(KEYS, st.data())
def test_a_damaged_key_is_another_key_or_corrupt(join_keys: list, data: st.DataObject):
    raw = bytearray(encode_key(join_keys))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    _decode_or_corrupt(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    _decode_or_corrupt(bytes(raw))


def _decode_or_corrupt(data: bytes) -> None:
    try:
        join_keys = decode_key(data)
    except CorruptKey:
        return
    assert encode_key(join_keys) == data
