"""Run by Feast's own Python (requirements/feast.txt): write rows to an empty Redis, and dump it as JSON.

    .tools/feast/bin/python tests/golden/feast_redis_program.py HOST:PORT > feast_redis.json

Imports nothing of ours: that environment has only Feast. The dump says types and times of the rows as well,
so that the readers of the golden file need no Feast.
"""

import json
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import redis
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Array, Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp

PROJECT = "adopted"
WHEN = datetime(2026, 11, 20, 10, 0, 0, 250_000, tzinfo=UTC)
SCHEMA = {
    "an_int32": (Int32, "int32"),
    "an_int64": (Int64, "int64"),
    "a_float": (Float32, "float32"),
    "a_double": (Float64, "float64"),
    "a_bool": (Bool, "bool"),
    "a_text": (String, "string"),
    "a_blob": (Bytes, "bytes"),
    "a_time": (UnixTimestamp, "timestamp"),
    "int32s": (Array(Int32), "list<int32>"),
    "int64s": (Array(Int64), "list<int64>"),
    "floats": (Array(Float32), "list<float32>"),
    "doubles": (Array(Float64), "list<float64>"),
    "bools": (Array(Bool), "list<bool>"),
    "texts": (Array(String), "list<string>"),
    "blobs": (Array(Bytes), "list<bytes>"),
    "times": (Array(UnixTimestamp), "list<timestamp>"),
}
FULL = {
    "an_int32": -7,
    "an_int64": 2**53 + 1,
    "a_float": 0.5,
    "a_double": -120.25,
    "a_bool": True,
    "a_text": "grün",
    "a_blob": b"\x00\xff",
    "a_time": datetime(2026, 11, 1, 12, tzinfo=UTC),
    "int32s": [1, -2],
    "int64s": [3, -4],
    "floats": [0.25, -1.5],
    "doubles": [0.1, 1e300],
    "bools": [True, False],
    "texts": ["a", "", "ü"],
    "blobs": [b"\x01", b""],
    "times": [datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)],
}
ZEROS = {**FULL, "an_int32": 0, "an_int64": 0, "a_float": 0.0, "a_double": 0.0, "a_bool": False, "a_text": ""}


def main(address: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "feature_store.yaml").write_text(
            f"project: {PROJECT}\nprovider: local\nregistry: {folder}/registry.db\n"
            f"online_store: {{type: redis, connection_string: '{address}'}}\n"
            "offline_store: {type: dask}\nentity_key_serialization_version: 3\n"
        )
        fill(FeatureStore(repo_path=folder))
    client = redis.Redis.from_url(f"redis://{address}/0")
    records = [
        {
            "key": key.hex(),
            "fields": {field.hex(): value.hex() for field, value in sorted(client.hgetall(key).items())},
        }
        for key in sorted(client.scan_iter("*"))
    ]
    told = {
        "project": PROJECT,
        "event_time_us": int(WHEN.timestamp()) * 1_000_000 + WHEN.microsecond,
        "columns": [{"name": name, "dtype": dtype} for name, (_, dtype) in SCHEMA.items()],
        "records": records,
    }
    json.dump(told, sys.stdout, indent=1, sort_keys=True)
    print()


def fill(store: FeatureStore) -> None:
    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)
    source = FileSource(name="none", path="none.parquet", timestamp_field="event_timestamp")
    everything = FeatureView(
        name="everything",
        entities=[driver],
        ttl=timedelta(days=1),
        schema=[
            Field(name="driver_id", dtype=Int64),
            *(Field(name=name, dtype=dtype) for name, (dtype, _) in SCHEMA.items()),
        ],
        source=source,
    )
    pairs = FeatureView(
        name="pairs",
        entities=[driver, customer],
        ttl=timedelta(days=1),
        schema=[
            Field(name="driver_id", dtype=Int64),
            Field(name="customer_id", dtype=String),
            Field(name="trips", dtype=Int64),
        ],
        source=source,
    )
    store.apply([driver, customer, everything, pairs])
    rows = [{"driver_id": 1001, **FULL}, {"driver_id": 1002, **ZEROS}]
    for row in rows:
        write(store, "everything", row)
    write(store, "everything", {"driver_id": 1003, **dict.fromkeys(SCHEMA), "an_int64": 5})
    write(store, "pairs", {"driver_id": 1001, "customer_id": "C-1", "trips": 12})


def write(store: FeatureStore, view: str, row: dict) -> None:
    frame = pd.DataFrame({name: pd.Series([value], dtype=object) for name, value in row.items()})
    for name in ("driver_id", "trips"):
        if name in frame:
            frame[name] = frame[name].astype("int64")
    frame["event_timestamp"] = pd.Series([WHEN])
    store.write_to_online_store(view, frame)


if __name__ == "__main__":
    main(sys.argv[1])
