"""A plan lists keys in the order of their encoded bytes, so that SQLite writes each page once."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from controlplane.ingestion.engines.duckdb_comparing import compare
from controlplane.ingestion.engines.jobs import DELTA, ROWS, Column, CompareJob, Limits
from controlplane.kernel.dtypes import Dtype
from store_adapters import KeyCodec

ARROW = {
    Dtype.INT32: pa.int32(),
    Dtype.INT64: pa.int64(),
    Dtype.STRING: pa.string(),
    Dtype.BYTES: pa.binary(),
}
NUMBERS = [number * 7919 % 65_536 for number in range(3_000)]
WORDS = [f"{number:x}" * (number % 5 + 1) for number in NUMBERS]


@pytest.mark.parametrize(
    "keys",
    [
        {"k": (Dtype.INT64, NUMBERS)},
        {"k": (Dtype.INT32, NUMBERS)},
        {"k": (Dtype.STRING, [*WORDS, "é" * 20, ""])},
        {"k": (Dtype.BYTES, [word.encode() for word in WORDS])},
        {"a": (Dtype.STRING, [word[:1] for word in WORDS]), "b": (Dtype.INT64, NUMBERS)},
    ],
    ids=["int64", "int32", "string", "bytes", "two join keys"],
)
def test_keys_of_a_plan_come_in_the_order_of_their_bytes(tmp_path, keys):
    names = list(keys)
    rows = pa.table({name: pa.array(values, ARROW[dtype]) for name, (dtype, values) in keys.items()})
    count = rows.num_rows
    for name, dtype, value in [
        ("x", pa.int64(), 1),
        ("__event_us", pa.int64(), 1),
        ("__order", pa.int32(), None),
        ("__bad", pa.string(), None),
        ("__bad_text", pa.string(), None),
    ]:
        rows = rows.append_column(name, pa.array([value] * count, dtype))
    pq.write_table(rows, tmp_path / ROWS)
    job = CompareJob(
        sources=[],
        query="",
        as_of_us=0,
        join_keys=[Column(name, dtype.value) for name, (dtype, _) in keys.items()],
        features=[Column("x", "int64")],
        event_time="t",
        order_by=None,
        default_event_us=0,
        limits=Limits(256, 1, 256),
    )
    compare(tmp_path, job, [], read_seconds=0.0)
    planned = pq.read_table(tmp_path / DELTA).select(names).to_pylist()
    codec = KeyCodec((name, dtype) for name, (dtype, _) in keys.items())
    encoded = [codec.encode([row[name] for name in names]) for row in planned]
    assert len(encoded) == len({tuple(row.values()) for row in rows.select(names).to_pylist()})
    assert encoded == sorted(encoded)
