"""One row laid out by hand from the format's description, to hold the codec to it."""

import struct

import google_crc32c

from controlplane.kernel.dtypes import Dtype
from store_adapters import Column, Lane, Layout, Row

MIXED = Layout(
    9,
    (
        Column("name", Dtype.STRING),
        Column("count", Dtype.INT32),
        Column("tags", Dtype.LIST_STRING),
        Column("good", Dtype.BOOL),
        Column("gone", Dtype.FLOAT64),
        Column("scores", Dtype.LIST_FLOAT32),
    ),
)
ROW = Row(
    event_time_us=1_000_000,
    lane=Lane.STREAM,
    position=7,
    layout_number=9,
    write_time_us=2_000_000,
    run_number=3,
    values=("né", -2, ["a", "", "bc"], True, None, [0.5, -1.0]),
    held=True,
)


def seal(body: bytes) -> bytes:
    return body + struct.pack("<I", google_crc32c.value(body))


def header(layout: int = 9, *, lane: int = 1, version: int = 1, flags: int = 2, reserved: int = 0) -> bytes:
    order = (1_000_000 + 2**63).to_bytes(8, "big") + (lane << 62 | 7).to_bytes(8, "big")
    return order + struct.pack("<BBHIqQ", version, flags, reserved, layout, 2_000_000, 3)


MIXED_BODY = (
    bytes([0b010000])
    + struct.pack("<iBd", -2, 1, 0.0)
    + struct.pack("<III", 3, 3 + 19, 3 + 19 + 8)
    + "né".encode()
    + struct.pack("<IIII", 3, 1, 1, 3)
    + b"abc"
    + struct.pack("<ff", 0.5, -1.0)
)
