"""A serving process over rows of every dtype, for clients of other languages than its own."""

import hashlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

from controlplane.kernel.dtypes import Dtype
from store_adapters import Column, Lane, Layout, Row, RowWrite, encode_key, encode_row, open_store
from tests.store_adapters.strategies import values_for
from tools import ports

PROJECT = "wire"
TOKEN = "a lookup token"
MAX_AGE_US = 86_400_000_000
LAYOUT = Layout(1, tuple(Column(dtype.replace("<", "_").rstrip(">"), dtype) for dtype in Dtype))
FEATURES = [column.name for column in LAYOUT.columns]
# Defaults, each of its dtype's element; lists hold two of them.
_DEFAULTS = {
    "int32": -7,
    "int64": 2**53,
    "float32": 0.5,
    "float64": -1.25,
    "bool": True,
    "string": "none é",
    "bytes": "AP8=",
    "timestamp": -1_500_000,
}
SERVICES = {
    "served": {"on_stale": "serve", "on_missing": "null", "on_invalid": "serve"},
    "nulled": {"on_stale": "null", "on_missing": "null", "on_invalid": "null"},
    "defaulted": {"on_stale": "default", "on_missing": "default", "on_invalid": "default"},
    "rejected": {"on_stale": "reject", "on_missing": "reject", "on_invalid": "reject"},
}


def _feature(column: Column) -> dict[str, object]:
    """A feature whose domain holds about half of what hypothesis makes up."""
    default = _DEFAULTS[column.dtype.element]
    feature = {"name": column.name, "dtype": column.dtype, "nullable": column.dtype is not Dtype.INT64}
    feature["default"] = [default, default] if column.dtype.is_list else default
    if column.dtype in (Dtype.INT32, Dtype.FLOAT64, Dtype.LIST_FLOAT32):
        feature |= {"min": -1000}
    if column.dtype.is_float:
        feature |= {"allow_nan": True, "allow_inf": True}
    if column.dtype in (Dtype.STRING, Dtype.BYTES):
        feature |= {"max_length": 6}
    return feature


def _view(number: int, *, enforcement: str) -> dict[str, object]:
    columns = [{"dtype": column.dtype, "name": column.name} for column in LAYOUT.columns]
    return {
        "id": number,
        "contract": number,
        "enforcement": enforcement,
        "features": [_feature(column) for column in LAYOUT.columns],
        "join_keys": [{"dtype": "string", "name": "row"}],
        "lanes": ["direct"],
        "layout": 1,
        "layouts": {"1": columns},
        "retired_features": ["gone"],
        "terms": {"max_age_us": MAX_AGE_US, **SERVICES["served"]},
        "bins": {},
    }


def _keyed(number: int, dtype: Dtype) -> dict[str, object]:
    """A view whose join key has a dtype of its own."""
    return _view(number, enforcement="enforce") | {"join_keys": [{"dtype": dtype, "name": f"{dtype}_key"}]}


def bundle() -> bytes:
    """The bundle in force: one view enforced, one observed, one for each dtype of join keys."""
    asked = [["all", name] for name in [*FEATURES, "gone"]]
    services = {
        name: {"features": asked, "max_rejected": 1.0, "terms": terms} for name, terms in SERVICES.items()
    }
    services["strict"] = {"features": [["all", "int64"]], "max_rejected": 0.0, "terms": SERVICES["rejected"]}
    views = {"all": _view(1, enforcement="enforce"), "watched": _view(2, enforcement="observe")}
    views |= {
        f"by_{dtype}": _keyed(number, dtype)
        for number, dtype in enumerate([Dtype.INT32, Dtype.INT64, Dtype.BYTES], start=3)
    }
    token = {"expires_us": None, "projects": [PROJECT], "sha256": hashlib.sha256(TOKEN.encode()).hexdigest()}
    document = {
        "default_project": PROJECT,
        "format": 1,
        "number": 5,
        "registry": "00000000-0000-0000-0000-000000000000",
        "store": {"name": "default"},
        "tokens": [token],
        "projects": {PROJECT: {"services": services, "views": views}},
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# A row as a test asks for it: nothing, or its age in microseconds and its values (None: a tombstone).
ROWS = st.none() | st.tuples(
    st.sampled_from([30_000_000, 10 * MAX_AGE_US]),
    st.none() | st.tuples(*[values_for(column.dtype) for column in LAYOUT.columns]),
)


class Wire:
    """The process; ``home`` is a folder of its own."""

    def __init__(self, home: Path, binary: Path) -> None:
        body = bundle()
        (home / "serving").mkdir()
        digest = hashlib.sha256(body).hexdigest()
        (home / "serving" / "bundle").write_bytes(digest.encode() + b"\n" + body)
        self.digest = digest
        self._store = open_store(f"sqlite://{home}/store.sqlite3")
        port, nowhere = ports.find_free(2)
        self.address = f"127.0.0.1:{port}"
        self._written = 0
        self._log = (home / "log").open("wb")
        self._process = subprocess.Popen(
            [binary],
            stdout=self._log,
            stderr=self._log,
            env={
                "PATH": os.environ["PATH"],
                "FRESHLINE_SERVING_LISTEN": self.address,
                "FRESHLINE_SERVING_HOME": str(home / "serving"),
                "FRESHLINE_SERVING_NAME": "wire",
                "FRESHLINE_CONTROL_URL": f"http://127.0.0.1:{nowhere}",
                "FRESHLINE_LOOKUP_AUTH": "required",
                "FRESHLINE_LOOKUP_TIMEOUT": "30s",
                "FRESHLINE_LOOKUP_MAX_BODY_BYTES": "100000",
                "FRESHLINE_LOOKUP_MAX_ENTITIES": "1000",
                "STORE_URL": f"sqlite://{home}/store.sqlite3",
            },
        )
        deadline = time.monotonic() + 60
        while not self._is_ready():
            assert time.monotonic() < deadline, "serving did not become ready"
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def get(self, path: str) -> str:
        """Ask for a page that anybody may read."""
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=30) as answer:
            return answer.read().decode()

    def close(self) -> None:
        self._process.terminate()
        assert self._process.wait(timeout=60) == 0
        self._store.close()
        self._log.close()

    def write(self, rows: Sequence[tuple[int, tuple | None] | None], *views: str) -> list[str]:
        """Write rows under keys that were never used; returns the keys."""
        keys = [f"row {self._written + i}" for i in range(len(rows))]
        self._written += len(rows)
        for view in views or ("all",):
            self.put(view, {(("row", Dtype.STRING, key),): row for key, row in zip(keys, rows, strict=True)})
        return keys

    def put(self, view: str, rows: dict) -> None:
        """Write rows by their whole keys."""
        now_us = self._store.clock_us()
        writes = [
            RowWrite(encode_key(key), encode_row(_row(row, now_us=now_us), LAYOUT), None)
            for key, row in rows.items()
            if row is not None
        ]
        self._store.write_rows(PROJECT, view, writes, run_number=1)

    def post(self, body: object, *, path: str = "/v1/lookup", **headers: str) -> tuple[int, str, bytes]:
        """Ask; returns status, media type and answer. Headers spell their dashes as underscores."""
        request = urllib.request.Request(f"http://{self.address}{path}", json.dumps(body).encode())
        for name, value in {"Authorization": f"Bearer {TOKEN}", **headers}.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers["Content-Type"], refused.read()


def _row(asked: tuple[int, tuple | None], *, now_us: int) -> Row:
    age_us, values = asked
    return Row(
        event_time_us=now_us - age_us,
        lane=Lane.DIRECT,
        position=now_us,
        layout_number=1,
        write_time_us=now_us,
        run_number=1,
        values=LAYOUT.nulls if values is None else values,
        tombstone=values is None,
    )
