"""Run by Feast's own Python (requirements/feast.txt): ask Feast's feature server, and keep what it answers.

    .tools/feast/bin/python tests/golden/feast_http_program.py > tests/golden/feast_http.json

Imports nothing of ours: that environment has only Feast. Feast's SQLite store keeps whole seconds only.
"""

import base64
import json
import math
import os
import socket
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import uvicorn
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.feature_server import get_app
from feast.types import Array, Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp

WHEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
TYPES = {
    "an_int32": (Int32, "int32"),
    "an_int64": (Int64, "int64"),
    "a_float": (Float32, "float32"),
    "a_double": (Float64, "float64"),
    "a_bool": (Bool, "bool"),
    "a_text": (String, "string"),
    "a_blob": (Bytes, "bytes"),
    "a_time": (UnixTimestamp, "timestamp"),
    "int64s": (Array(Int64), "list<int64>"),
    "floats": (Array(Float32), "list<float32>"),
    "texts": (Array(String), "list<string>"),
    "blobs": (Array(Bytes), "list<bytes>"),
}
FULL = {
    "an_int32": -7,
    "an_int64": 2**53 + 1,
    "a_float": 0.1,
    "a_double": -120.25,
    "a_bool": True,
    "a_text": 'grün "quoted"\n',
    "a_blob": b"\x00\xff",
    "a_time": datetime(2026, 11, 1, 12, tzinfo=UTC),
    "int64s": [3, -4],
    "floats": [0.1, -1.5],
    "texts": ["a", "", "ü"],
    "blobs": [b"\x01", b""],
}
ODD = {
    **FULL,
    "a_float": float("inf"),
    "a_double": float("-inf"),
    "a_bool": False,
    "a_text": "",
    "floats": [float("inf")],
}
ALL = [f"everything:{name}" for name in TYPES]
ONE = ["everything:an_int32"]

# Each has a name, and a body: a document, or a text that is sent as it stands.
REQUESTS = {
    "every type": {"features": ALL, "entities": {"driver_id": [1001, 1002]}},
    "full names": {"features": ONE, "entities": {"driver_id": [1001]}, "full_feature_names": True},
    "keys as text": {"features": ONE, "entities": {"driver_id": ["1001"]}},
    "keys as floats": {"features": ONE, "entities": {"driver_id": [1001.0]}},
    "a key with a fraction": {"features": ONE, "entities": {"driver_id": [1001.5]}},
    "a key of another kind": {"features": ONE, "entities": {"driver_id": ["x"]}},
    "a key that is a truth": {"features": ONE, "entities": {"driver_id": [True]}},
    "a key that is a list": {"features": ONE, "entities": {"driver_id": [[1]]}},
    "a null key": {"features": ONE, "entities": {"driver_id": [None]}},
    "a null key among others": {"features": ONE, "entities": {"driver_id": [1001, None]}},
    "a key that is not there": {"features": ONE, "entities": {"driver_id": [9]}},
    "the same key twice": {"features": ONE, "entities": {"driver_id": [1001, 9, 1001]}},
    "no keys": {"features": ONE, "entities": {"driver_id": []}},
    "no entities": {"features": ONE, "entities": {}},
    "a composite key": {
        "features": ["pairs:trips"],
        "entities": {"customer_id": ["C-1"], "driver_id": [1001]},
    },
    "a composite key the other way round": {
        "features": ["pairs:trips"],
        "entities": {"driver_id": [1001], "customer_id": ["C-1"]},
    },
    "a number for a key of text": {
        "features": ["pairs:trips"],
        "entities": {"driver_id": [1001], "customer_id": [7]},
    },
    "half a composite key": {"features": ["pairs:trips"], "entities": {"driver_id": [1001]}},
    "two views": {
        "features": ["pairs:trips", *ONE],
        "entities": {"customer_id": ["C-1"], "driver_id": [1001]},
    },
    "a view of no entity by itself": {"features": ["whole:total"], "entities": {}},
    "a view of no entity by its dummy key": {"features": ["whole:total"], "entities": {"__dummy_id": [""]}},
    "a view of no entity beside another": {
        "features": ["whole:total", *ONE],
        "entities": {"driver_id": [1001, 9]},
    },
    "a column that is no join key": {"features": ONE, "entities": {"driver_id": [1001], "amount": [5]}},
    "uneven columns": {
        "features": ["pairs:trips"],
        "entities": {"driver_id": [1, 2], "customer_id": ["C-1"]},
    },
    "a service": {"feature_service": "some", "entities": {"driver_id": [1001]}},
    "a service and features": {"feature_service": "some", "features": ALL, "entities": {"driver_id": [1001]}},
    "a service with an alias": {"feature_service": "aliased", "entities": {"driver_id": [1001]}},
    "a service with an alias in full": {
        "feature_service": "aliased",
        "entities": {"driver_id": [1001]},
        "full_feature_names": True,
    },
    "a feature twice": {"features": [*ONE, *ONE], "entities": {"driver_id": [1001]}},
    "one name in two views": {
        "features": ["everything:an_int32", "twin:an_int32"],
        "entities": {"driver_id": [1001]},
    },
    "one name in two views in full": {
        "features": ["everything:an_int32", "twin:an_int32"],
        "entities": {"driver_id": [1001]},
        "full_feature_names": True,
    },
    "versions": {
        "features": ONE,
        "entities": {"driver_id": [1001]},
        "include_feature_view_version_metadata": True,
    },
    "an unknown view": {"features": ["nope:x"], "entities": {"driver_id": [1001]}},
    "an unknown feature": {"features": ["everything:nope"], "entities": {"driver_id": [1001]}},
    "an unknown service": {"feature_service": "nope", "entities": {"driver_id": [1001]}},
    "a version of a view": {"features": ["everything@v2:an_int32"], "entities": {"driver_id": [1001]}},
    "a reference without a view": {"features": ["an_int32"], "entities": {"driver_id": [1001]}},
    "no features": {"entities": {"driver_id": [1001]}},
    "no body": "",
    "no JSON": "{",
    "no object": "[]",
    "no member entities": {"features": ONE},
    "entities that are a list": {"features": ONE, "entities": []},
    "an entity that is no list": {"features": ONE, "entities": {"driver_id": 1001}},
    "features that are a text": {"features": ONE[0], "entities": {"driver_id": [1001]}},
    "a feature that is no text": {"features": [1], "entities": {"driver_id": [1001]}},
    "features that are null": {"features": None, "entities": {"driver_id": [1001]}},
    "a service that is no text": {"feature_service": 1, "entities": {"driver_id": [1001]}},
    "a truth that is none": {
        "features": ONE,
        "entities": {"driver_id": [1001]},
        "full_feature_names": "perhaps",
    },
    "a member that nobody knows": {"features": ONE, "entities": {"driver_id": [1001]}, "other": 1},
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        (Path(folder) / "feature_store.yaml").write_text(
            f"project: p\nprovider: local\nregistry: {folder}/registry.db\n"
            f"online_store: {{type: sqlite, path: {folder}/online.db}}\n"
            "offline_store: {type: dask}\nentity_key_serialization_version: 3\n"
        )
        store = FeatureStore(repo_path=folder)
        fill(store)
        with served(store) as address:
            answers = {name: ask(address, body) for name, body in REQUESTS.items()}
            answers["another media type"] = ask(address, "x", media_type="text/plain")
    told = {
        "event_time_us": int(WHEN.timestamp()) * 1_000_000,
        "columns": [{"name": name, "dtype": dtype} for name, (_, dtype) in TYPES.items()],
        "rows": {"1001": plain(FULL), "1002": plain(ODD)},
        "answers": answers,
    }
    json.dump(told, sys.stdout, indent=1, sort_keys=True, ensure_ascii=False)
    print()


def plain(value: object) -> object:
    """Values as documents of ours have them."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return int(value.timestamp()) * 1_000_000
    if isinstance(value, float) and not math.isfinite(value):
        return str(value).replace("inf", "Infinity").replace("nan", "NaN")
    return value


@contextmanager
def served(store: FeatureStore) -> Iterator[str]:
    """Feast's server on a free port, in a thread of this process."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(get_app(store), log_level="critical"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def ask(address: str, body: object, *, media_type: str = "application/json") -> dict:
    text = body if isinstance(body, str) else json.dumps(body)
    request = urllib.request.Request(
        f"{address}/get-online-features", text.encode(), {"Content-Type": media_type}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, said = answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        status, said = refused.code, refused.read()
    return {"body": text, "media_type": media_type, "status": status, "answer": json.loads(said)}


def fill(store: FeatureStore) -> None:
    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)
    source = FileSource(name="none", path="none.parquet", timestamp_field="event_timestamp")
    key, text_key = Field(name="driver_id", dtype=Int64), Field(name="customer_id", dtype=String)
    fields = [Field(name=name, dtype=dtype) for name, (dtype, _) in TYPES.items()]
    day = timedelta(days=100_000)
    everything = FeatureView(
        name="everything", entities=[driver], ttl=day, schema=[key, *fields], source=source
    )
    twin = FeatureView(
        name="twin",
        entities=[driver],
        ttl=day,
        schema=[key, Field(name="an_int32", dtype=Int32)],
        source=source,
    )
    pairs = FeatureView(
        name="pairs",
        entities=[driver, customer],
        ttl=day,
        schema=[key, text_key, Field(name="trips", dtype=Int64)],
        source=source,
    )
    whole = FeatureView(
        name="whole", entities=[], ttl=day, schema=[Field(name="total", dtype=Int64)], source=source
    )
    some = FeatureService(name="some", features=[everything[["an_int32"]]])
    aliased = FeatureService(name="aliased", features=[everything[["an_int32"]].with_name("origin")])
    store.apply([driver, customer, everything, twin, pairs, whole, some, aliased])
    write(store, "everything", {"driver_id": 1001, **FULL})
    write(store, "everything", {"driver_id": 1002, **ODD})
    write(store, "twin", {"driver_id": 1001, "an_int32": 8})
    write(store, "pairs", {"driver_id": 1001, "customer_id": "C-1", "trips": 12})
    write(store, "whole", {"total": 99})


def write(store: FeatureStore, view: str, row: dict) -> None:
    frame = pd.DataFrame({name: pd.Series([value], dtype=object) for name, value in row.items()})
    for name in ("driver_id", "trips", "total"):
        if name in frame:
            frame[name] = frame[name].astype("int64")
    frame["event_timestamp"] = pd.Series([WHEN])
    store.write_to_online_store(view, frame)


if __name__ == "__main__":
    main()
