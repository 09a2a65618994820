"""Rows to write in tests: one view of two columns, told apart by what a test cares about."""

from controlplane.kernel.dtypes import Dtype, Value
from store_adapters import Column, Lane, Layout, Row, RowWrite, encode_key, encode_row

NOW = 1_795_000_000_000_000
HOUR = 3_600_000_000
LAYOUT = Layout(1, (Column("score", Dtype.FLOAT64), Column("tail", Dtype.STRING)))


def key_of(number: int) -> bytes:
    return encode_key([("driver_id", Dtype.INT64, number)])


def packed(
    score: Value = 1.0,
    tail: Value = None,
    *,
    at: int = NOW,
    position: int = 1,
    run: int = 1,
    **changes: object,
) -> bytes:
    """A row with event time ``at``, written by ``run``."""
    fields: dict = {
        "event_time_us": at,
        "lane": Lane.BATCH,
        "position": position,
        "layout_number": LAYOUT.number,
        "write_time_us": at,
        "run_number": run,
        "values": (score, tail),
    }
    return encode_row(Row(**{**fields, **changes}), LAYOUT)


def tombstone(**changes: object) -> bytes:
    return packed(None, None, tombstone=True, **changes)  # type: ignore[arg-type]


def write_of(number: int, row: bytes, expire_at_us: int | None = None) -> RowWrite:
    return RowWrite(key_of(number), row, expire_at_us)
