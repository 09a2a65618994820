"""The part of a row that every reader needs: order key, flags, layout number, times, checksum.

| offset | bytes | field |
| 0 | 8 | event time, microseconds, big-endian, sign bit inverted |
| 8 | 8 | write sequence, big-endian: 2 bits lane, 62 bits position |
| 16 | 1 | format version |
| 17 | 1 | flags |
| 18 | 2 | reserved, 0 |
| 20 | 4 | layout number |
| 24 | 8 | write time, microseconds |
| 32 | 8 | run number |
| 40 | | null bitmap and values (row_codec) |
| -4 | 4 | CRC-32C of all before |

Little-endian from offset 16 on.
"""

import struct

import google_crc32c

from store_adapters.errors import CorruptRow
from store_adapters.model import Lane, RowHeader

VERSION = 1
TOMBSTONE, HELD, CLAMPED = 1, 2, 4
HEADER_SIZE = 40
CHECKSUM_SIZE = 4
ORDER_KEY_SIZE = 16
SIGN = 1 << 63
POSITIONS = 1 << 62
LANE_CODES = {Lane.BATCH: 0, Lane.STREAM: 1, Lane.DIRECT: 2}

_ORDER = struct.Struct(">QQ")
_REST = struct.Struct("<BBHIqQ")
_U32 = struct.Struct("<I")
_LANES = (Lane.BATCH, Lane.STREAM, Lane.DIRECT)


def order_key(data: bytes) -> bytes:
    """Return the 16 bytes whose order as unsigned bytes is the order of rows, in every format version."""
    return data[:ORDER_KEY_SIZE]


def checksum(data: bytes) -> bytes:
    """Return the four bytes that close a row which so far is ``data``."""
    return _U32.pack(google_crc32c.value(data))


def verify(data: bytes) -> None:
    """Raise ``CorruptRow`` unless ``data`` is whole: long enough, of this version, checksum right."""
    if len(data) < HEADER_SIZE + CHECKSUM_SIZE:
        raise CorruptRow(f"{len(data)} bytes, shorter than any row")
    if data[-CHECKSUM_SIZE:] != checksum(data[:-CHECKSUM_SIZE]):
        raise CorruptRow("checksum differs")
    if data[16] != VERSION:
        raise CorruptRow(f"format version {data[16]}")


def decode_header(data: bytes) -> RowHeader:
    """Return the header of a row whose layout need not be known, or raise ``CorruptRow``."""
    verify(data)
    event, sequence = _ORDER.unpack_from(data)
    _, flags, reserved, layout_number, write_time_us, run_number = _REST.unpack_from(data, 16)
    lane_code = sequence >> 62
    if lane_code == 3:
        raise CorruptRow("lane 3")
    if flags > TOMBSTONE | HELD | CLAMPED:
        raise CorruptRow(f"flags {flags}")
    if reserved:
        raise CorruptRow("reserved bytes are not zero")
    return RowHeader(
        event_time_us=event - SIGN,
        lane=_LANES[lane_code],
        position=sequence & (POSITIONS - 1),
        layout_number=layout_number,
        write_time_us=write_time_us,
        run_number=run_number,
        tombstone=bool(flags & TOMBSTONE),
        held=bool(flags & HELD),
        clamped=bool(flags & CLAMPED),
    )


def same_content(a: bytes, b: bytes) -> bool:
    """Return whether two rows tell a reader the same: version, event time, flags, layout and values.

    Bytes decide, since the encoding is canonical: one bit pattern for zero and for NaN, zeros under nulls.
    """
    return (
        a[40:-4] == b[40:-4]
        and a[:8] == b[:8]
        and a[16:24] == b[16:24]
        and len(a) >= HEADER_SIZE + CHECKSUM_SIZE
    )


def run_number_of(data: bytes) -> int:
    """Return the number of the run that wrote ``data``, unverified."""
    return int.from_bytes(data[32:40], "little")
