"""Bytes that nobody should have written: always CorruptRow with a reason, never another exception."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel.dtypes import Dtype
from store_adapters import CorruptRow, Layout, Row, decode_header, decode_row, encode_row
from tests.store_adapters.by_hand import MIXED, MIXED_BODY, ROW, header, seal
from tests.store_adapters.golden_cases import layout_of
from tests.store_adapters.strategies import LAYOUTS, LAYOUTS_AND_ROWS

BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "shorter than any row"),
    "a header alone": (header(), "shorter than any row"),
    "another checksum": (seal(header() + MIXED_BODY)[:-1] + b"\x00", "checksum"),
    "a later version": (seal(header(version=2) + MIXED_BODY), "format version 2"),
    "a fourth lane": (seal(header(lane=3) + MIXED_BODY), "lane 3"),
    "an unknown flag": (seal(header(flags=8) + MIXED_BODY), "flags 8"),
    "reserved bytes in use": (seal(header(reserved=1) + MIXED_BODY), "reserved"),
    "another layout": (seal(header(layout=8) + MIXED_BODY), "layout 8, not 9"),
    "no columns": (seal(header()), "do not hold the columns"),
    "a bitmap bit beyond the columns": (
        seal(header() + bytes([0b1010000]) + MIXED_BODY[1:]),
        "beyond the last column",
    ),
    "a null with a fixed value": (
        seal(header() + bytes([0b010010]) + MIXED_BODY[1:]),
        "null that has a value",
    ),
    "a null with a variable value": (
        seal(header() + bytes([0b010001]) + MIXED_BODY[1:]),
        "null that has a value",
    ),
    "a bool of 2": (seal(header() + MIXED_BODY[:5] + b"\x02" + MIXED_BODY[6:]), "neither 0 nor 1"),
    "end offsets that fall": (
        seal(header() + MIXED_BODY[:14] + struct.pack("<III", 5, 3, 30) + MIXED_BODY[26:]),
        "out of order",
    ),
    "an end offset beyond the row": (
        seal(header() + MIXED_BODY[:22] + struct.pack("<I", 31) + MIXED_BODY[26:]),
        "out of order",
    ),
    "bytes after the last value": (seal(header() + MIXED_BODY + b"\x00"), "1 bytes after the last value"),
    "a string that is not UTF-8": (seal(header() + MIXED_BODY[:26] + b"\xff" + MIXED_BODY[27:]), "not UTF-8"),
    "a list of more elements than bytes": (
        seal(header() + MIXED_BODY[:29] + b"\xff\xff\xff\xff" + MIXED_BODY[33:]),
        "a list of 4294967295 elements",
    ),
    "a list element offset that falls": (
        seal(header() + MIXED_BODY[:33] + b"\x03" + MIXED_BODY[34:]),
        "out of order",
    ),
    "a list whose elements end early": (
        seal(header() + MIXED_BODY[:41] + b"\x02" + MIXED_BODY[42:]),
        "1 bytes after the last value",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_malformed_row_is_corrupt_with_a_reason(case: str):
    data, reason = BROKEN[case]
    with pytest.raises(CorruptRow) as caught:
        decode_row(data, MIXED)
    assert reason in caught.value.reason


def test_the_malformed_rows_are_one_change_away_from_a_good_one():
    assert decode_row(seal(header() + MIXED_BODY), MIXED) == ROW


@pytest.mark.parametrize(
    ("dtype", "data"),
    [
        (Dtype.LIST_INT64, b"1234567"),
        (Dtype.LIST_BOOL, b"\x00\x02"),
        (Dtype.LIST_STRING, b""),
        (Dtype.LIST_BYTES, b"\x00\x00\x00"),
        (Dtype.LIST_STRING, struct.pack("<II", 1, 1) + b"\xff"),
    ],
)
def test_a_malformed_list_is_corrupt(dtype: Dtype, data: bytes):
    with pytest.raises(CorruptRow):
        decode_row(seal(header(layout=1) + b"\x00" + struct.pack("<I", len(data)) + data), layout_of(dtype))


@given(st.binary(max_size=200), LAYOUTS)
def test_random_bytes_are_corrupt_and_nothing_else(data: bytes, layout: Layout):
    with pytest.raises(CorruptRow):
        decode_row(data, layout)


@given(LAYOUTS_AND_ROWS, st.data())
def test_one_flipped_bit_is_corrupt(case: tuple[Layout, Row], data: st.DataObject):
    layout, row = case
    raw = bytearray(encode_row(row, layout))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CorruptRow):
        decode_row(bytes(raw), layout)


@given(LAYOUTS, st.binary(max_size=120), st.integers(0, 7))
def test_random_bodies_under_a_good_checksum_raise_nothing_else(layout: Layout, body: bytes, flags: int):
    _decode_or_corrupt(seal(header(layout.number, flags=flags) + body), layout)


@given(LAYOUTS_AND_ROWS, LAYOUTS, st.data())
def test_damage_under_a_good_checksum_raises_nothing_else(case: tuple, other: Layout, data: st.DataObject):
    layout, row = case
    raw = bytearray(encode_row(row, layout)[:-4])
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(raw)))
    for damaged in (bytes(raw), bytes(raw[:end])):
        _decode_or_corrupt(seal(damaged), layout)
        _decode_or_corrupt(seal(damaged), replace(other, number=layout.number))


def _decode_or_corrupt(data: bytes, layout: Layout) -> None:
    try:
        row = decode_row(data, layout)
    except CorruptRow:
        return
    assert len(row.values) == len(layout.columns)


def test_a_header_of_a_damaged_row_is_corrupt_too():
    good = seal(header() + MIXED_BODY)
    assert decode_header(good).held
    for at in range(len(good)):
        with pytest.raises(CorruptRow):
            decode_header(good[:at] + bytes([good[at] ^ 0x40]) + good[at + 1 :])
