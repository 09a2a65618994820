"""Run by Feast's own Python (requirements/feast.txt): one stock repository, in every store that we read.

    .tools/feast/bin/python tests/feast_stores/program.py FOLDER

FOLDER/stores.json names the online stores, as feature_store.yaml has them; FOLDER/written.json then says what
readers must find: keys, event times and values, by view. Imports nothing of ours: Feast is alone there.
"""

import base64
import json
import math
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pandas as pd
import yaml
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import Array, Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp

WHEN = datetime(2026, 11, 20, 10, 0, 0, 250_000, tzinfo=UTC)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVERYTHING = {
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
STATS = {"conv_rate": (Float64, "float64"), "trips": (Int64, "int64"), "city": (String, "string")}
FULL = {
    "an_int32": -7,
    "an_int64": 2**53 + 1,
    "a_float": 0.5,
    "a_double": -120.25,
    "a_bool": True,
    "a_text": "grün 🚕",
    "a_blob": b"\x00\xff",
    "a_time": NOON,
    "int32s": [1, -2],
    "int64s": [3, -(2**62)],
    "floats": [0.25, -1.5],
    "doubles": [0.1, 1e300],
    "bools": [True, False],
    "texts": ["a", "", "ü"],
    "blobs": [b"\x01", b""],
    "times": [EPOCH, NOON],
}
ZEROS = {
    "an_int32": 0,
    "an_int64": 0,
    "a_float": 0.0,
    "a_double": 0.0,
    "a_bool": False,
    "a_text": "",
    "a_blob": b"",
    "a_time": EPOCH,
    "int32s": [0],
    "int64s": [0],
    "floats": [0.0],
    "doubles": [0.0],
    "bools": [False],
    "texts": [""],
    "blobs": [b""],
    "times": [EPOCH],
}
# What no frame can hold goes to the store's own writer as values: pandas takes NaN for null.
ODD = {
    "a_double": (Value(double_val=math.nan), math.nan),
    "a_float": (Value(float_val=-math.inf), -math.inf),
    "a_time": (Value(unix_timestamp_val=-(2**63)), None),
    "an_int64": (Value(int64_val=-(2**63)), -(2**63)),
    "an_int32": (Value(), None),
    "a_text": (Value(string_val="\u0000 NUL, e\u0301"), "\u0000 NUL, e\u0301"),
}
DRIVERS = {"driver_id": Int64}
VIEWS = {
    "everything": (DRIVERS, EVERYTHING),
    "driver_stats": (DRIVERS, STATS),
    "never_written": (DRIVERS, STATS),
    "customers": ({"customer_id": String}, {"name": (String, "string"), "orders": (Int32, "int32")}),
    "pairs": ({"driver_id": Int64, "customer_id": String}, {"trips": (Int64, "int64")}),
    "all_drivers": ({}, {"drivers": (Int64, "int64")}),
}
# Materialised from files; the other views are written to the store. A view without entities has to be
# materialised: written, it lies under a key that Feast never reads.
ALL_DRIVERS = {"drivers": 3}
MATERIALISED = {
    1001: (WHEN, {"conv_rate": 0.75, "trips": 12, "city": "Wrocław"}),
    1002: (WHEN - timedelta(seconds=90), {"conv_rate": None, "trips": 0, "city": None}),
    -5: (WHEN - timedelta(days=12), {"conv_rate": 1e-9, "trips": -1, "city": ""}),
}
WRITTEN = {
    "everything": [
        ({"driver_id": 1001}, FULL),
        ({"driver_id": 1002}, ZEROS),
        ({"driver_id": 1003}, {**dict.fromkeys(EVERYTHING), "an_int64": 5}),
    ],
    "customers": [
        ({"customer_id": "C-1"}, {"name": "Ada", "orders": 3}),
        ({"customer_id": "żółć/🚕"}, {"name": "", "orders": 0}),
        ({"customer_id": ""}, {"name": None, "orders": -1}),
    ],
    "pairs": [({"driver_id": 1001, "customer_id": "C-1"}, {"trips": 12})],
}


def main(folder: Path) -> None:
    told = json.loads((folder / "stores.json").read_text())
    write_sources(folder)
    for name, online_store in told[
        "stores"
    ].items():  # not in threads: Feast imports as it goes, and locks up
        fill(folder, told["project"], name, online_store)
    (folder / "written.json").write_text(
        json.dumps({"project": told["project"], "views": expected()}, indent=1)
    )


def write_sources(folder: Path) -> None:
    rows = [{"driver_id": key, "event_timestamp": at, **row} for key, (at, row) in MATERIALISED.items()]
    frame = pd.DataFrame(rows)
    older = frame.assign(trips=99, event_timestamp=frame["event_timestamp"] - timedelta(days=1))
    pd.concat([frame, older]).astype({"trips": "int64"}).to_parquet(folder / "drivers.parquet")
    pd.DataFrame([{**ALL_DRIVERS, "event_timestamp": WHEN}]).to_parquet(folder / "all_drivers.parquet")


def fill(folder: Path, project: str, name: str, online_store: dict[str, object]) -> None:
    repository = folder / name
    repository.mkdir()
    settings = {
        "project": project,
        "provider": "local",
        "registry": str(repository / "registry.db"),
        "online_store": online_store,
        "offline_store": {"type": "dask"},
        "entity_key_serialization_version": 3,
    }
    (repository / "feature_store.yaml").write_text(yaml.safe_dump(settings))
    store = FeatureStore(repo_path=str(repository))
    sources = {
        name: FileSource(name=name, path=str(folder / f"{name}.parquet"), timestamp_field="event_timestamp")
        for name in ("drivers", "all_drivers")
    }
    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)
    owners = {"driver_id": driver, "customer_id": customer}
    views = [view_of(view, owners, sources.get(view, sources["drivers"])) for view in VIEWS]
    if online_store["type"] == "dynamodb":
        make_tables([f"{project}.{view}" for view in VIEWS], online_store)
    store.apply([driver, customer, *views])
    store.materialize(
        start_date=WHEN - timedelta(days=30),
        end_date=WHEN + timedelta(days=1),
        feature_views=["driver_stats", "all_drivers"],
    )
    for view, rows in WRITTEN.items():
        for keys, row in rows:
            store.write_to_online_store(view, frame_of({**keys, **row}, VIEWS[view]))
    values = {feature: value for feature, (value, _) in ODD.items()}
    everything = store.get_feature_view("everything")
    key = entity_key({"driver_id": 1004})
    store._get_provider().online_write_batch(store.config, everything, [(key, values, WHEN, WHEN)], None)


def make_tables(names: list[str], online_store: dict[str, object]) -> None:
    """Make tables as an operator would: Feast itself looks only every 20 seconds whether one is ready."""
    client = boto3.client(
        "dynamodb", region_name=online_store["region"], endpoint_url=online_store["endpoint_url"]
    )
    for name in names:
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 0.05})


def view_of(name: str, owners: dict[str, Entity], source: FileSource) -> FeatureView:
    keys, features = VIEWS[name]
    schema = [Field(name=key, dtype=dtype) for key, dtype in keys.items()]
    schema += [Field(name=feature, dtype=dtype) for feature, (dtype, _) in features.items()]
    entities = [owners[key] for key in keys]
    return FeatureView(name=name, entities=entities, ttl=timedelta(days=1), schema=schema, source=source)


def frame_of(row: dict[str, object], view: tuple[dict[str, object], dict[str, object]]) -> pd.DataFrame:
    frame = pd.DataFrame({name: pd.Series([value], dtype=object) for name, value in row.items()})
    whole = [name for name, value in row.items() if isinstance(value, int) and not isinstance(value, bool)]
    frame = frame.astype(dict.fromkeys(whole, "int64"))
    frame["event_timestamp"] = pd.Series([WHEN])
    return frame


def entity_key(keys: dict[str, object]) -> EntityKey:
    """Return Feast's key; a view without entities has one of Feast's own making."""
    named = keys or {"__dummy_id": ""}
    values = [
        Value(int64_val=value) if isinstance(value, int) else Value(string_val=value)
        for value in named.values()
    ]
    return EntityKey(join_keys=list(named), entity_values=values)


def expected() -> dict[str, object]:
    rows = {view: [(keys, WHEN, row) for keys, row in written] for view, written in WRITTEN.items()}
    rows["everything"].append(({"driver_id": 1004}, WHEN, {name: value for name, (_, value) in ODD.items()}))
    rows["all_drivers"] = [({}, WHEN, ALL_DRIVERS)]
    rows["everything"][1] = (
        {"driver_id": 1002},
        WHEN,
        {**ZEROS, "a_blob": None},
    )  # Feast takes no bytes for null
    rows["driver_stats"] = [({"driver_id": key}, at, row) for key, (at, row) in MATERIALISED.items()]
    return {
        view: {
            "columns": [{"name": name, "dtype": dtype} for name, (_, dtype) in features.items()],
            "rows": [
                {
                    "key": serialize_entity_key(entity_key(keys), 3).hex(),
                    "join_keys": keys,
                    "event_time_us": microseconds(at),
                    "values": {name: json_of(value) for name, value in row.items()},
                }
                for keys, at, row in rows.get(view, [])
            ],
        }
        for view, (_, features) in VIEWS.items()
    }


def json_of(value: object) -> object:
    """Return a value as golden files have it: times in microseconds, bytes in base64, odd floats by name."""
    if isinstance(value, list):
        return [json_of(each) for each in value]
    if isinstance(value, datetime):
        return microseconds(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
