"""What serving observed reaches the control plane, once: bins from the definition file to the counts, and
reports that outlive the process that made them."""

import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from controlplane.contracts import bins
from controlplane.contracts.bundle import BundleProject, BundleView, compile_bundle
from controlplane.contracts.definition import load, parse
from controlplane.kernel import clock
from controlplane.kernel.dtypes import Dtype
from controlplane.observations import selectors
from controlplane.observations.domain.report import parse as parse_report
from controlplane.observations.services.reports import record_report
from store_adapters import Column, Lane, Layout, Row, RowWrite, decode_key, encode_key, encode_row, open_store
from tools import ports

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

DEFINITION = """
version: 1
project: reports
entities:
  - {name: carrier, join_keys: [{name: carrier, dtype: string}]}
feature_views:
  - name: delays
    entities: [carrier]
    features:
      - {name: delay, dtype: float64, max: 100, default: -1, allow_nan: true, bins: [0, 15, 60]}
      - {name: flights, dtype: int64, bins: [1, 10]}
      - {name: hub, dtype: string, bins: [EWR, JFK]}
      - {name: late, dtype: bool, bins: [true]}
      - {name: uncounted, dtype: float64}
    freshness: {max_age: 1h}
    on_missing: default
    on_invalid: default
    direct: true
"""
HOUR = timedelta(hours=1)
NAN = float("nan")
ROWS = {
    "UA": (12.5, 7, "EWR", True, 1.0),
    "AA": (15.0, 10, "DFW", False, 1.0),
    "DL": (None, None, None, None, None),
    "WN": (NAN, 0, "", False, 1.0),
    "B6": (101.0, 99, "JFK", True, 1.0),  # beyond its max: the default is answered
}


def definition():
    """The file, with the defaults that it needs for every feature."""
    document = load(DEFINITION, "application/yaml")
    defaults = {"delay": -1, "flights": 0, "hub": "none", "late": False, "uncounted": 0}
    for feature in document["feature_views"][0]["features"]:
        feature["default"] = defaults[feature["name"]]
    return parse(document)


class Receiver:
    """A control plane that takes reports as ``answer`` says: a status, or None to drop the connection."""

    def __init__(self) -> None:
        self.documents: list[dict] = []
        self.answer: Callable[[], int | None] = lambda: 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = 503
                if self.path == "/api/v1/serving/observations":
                    status = receiver.answer()
                    if status != 503:
                        receiver.documents.append(json.loads(body))
                if status is None:
                    self.connection.close()
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                self.send_error(503)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with the rows, and the bundle that a serving process finds on its disk."""
    (view,) = definition().feature_views
    layout = Layout(1, tuple(Column(feature.name, feature.dtype) for feature in view.features))
    published = BundleView(1, 1, view, definition().entities[0].join_keys, 1, {1: layout.columns})
    compiled = compile_bundle(
        registry="00000000-0000-4000-8000-000000000000",
        number=1,
        default_project="reports",
        projects={"reports": BundleProject([published], [])},
    )
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / "bundle").write_bytes(compiled.digest.encode() + b"\n" + compiled.body)
    store = open_store(f"sqlite://{tmp_path}/store.sqlite3")
    now_us = store.clock_us()
    writes = [
        RowWrite(
            encode_key((("carrier", Dtype.STRING, carrier),)),
            encode_row(
                Row(
                    event_time_us=now_us,
                    lane=Lane.DIRECT,
                    position=now_us,
                    layout_number=1,
                    write_time_us=now_us,
                    run_number=1,
                    values=values,
                ),
                layout,
            ),
            None,
        )
        for carrier, values in ROWS.items()
    ]
    store.write_rows("reports", "delays", writes, run_number=1)
    store.close()
    return tmp_path


class Process:
    def __init__(self, home: Path, binary: Path, receiver: Receiver, **settings: str) -> None:
        (port,) = ports.find_free(1)
        self.address = f"127.0.0.1:{port}"
        environment = {
            "PATH": os.environ["PATH"],
            "FRESHLINE_SERVING_LISTEN": self.address,
            "FRESHLINE_SERVING_HOME": str(home / "serving"),
            "FRESHLINE_SERVING_NAME": "reports",
            "FRESHLINE_CONTROL_URL": receiver.url,
            "FRESHLINE_OBSERVE_INTERVAL": "50ms",
            "FRESHLINE_LOOKUP_TIMEOUT": "30s",
            "STORE_URL": f"sqlite://{home}/store.sqlite3",
            **settings,
        }
        log = (home / "log").open("ab")
        self.process = subprocess.Popen([binary], stdout=log, stderr=log, env=environment)
        wait_until(self._is_ready)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def lookup(self, *carriers: str) -> list[dict]:
        features = ["delay", "flights", "hub", "late", "uncounted"]
        body = {"features": [f"delays:{name}" for name in features], "entities": {"carrier": carriers}}
        with urllib.request.urlopen(f"http://{self.address}/v1/lookup", json.dumps(body).encode()) as answer:
            return json.load(answer)["columns"]

    def end(self, with_signal: int) -> None:
        self.process.send_signal(with_signal)
        self.process.wait(timeout=60)


@contextmanager
def serving(*given: object, **settings: str) -> Iterator[Process]:
    process = Process(*given, **settings)
    try:
        yield process
    finally:
        process.end(signal.SIGKILL)


def wait_until(claim: Callable[[], bool]) -> None:
    pause, deadline = threading.Event(), time.monotonic() + 60
    while not claim():
        assert time.monotonic() < deadline, "waited in vain"
        pause.wait(0.02)


def count(document: dict) -> bool:
    now = clock.from_us(document["sent_at_us"])
    return record_report(parse_report(document, now=now), now=now, retention=timedelta(days=1))


def test_bins_travel_from_the_definition_file_to_the_counts(home, binary, receiver):
    expected: dict[str, Counter[str]] = {}
    declared = {
        feature.name: feature
        for feature in definition().feature_views[0].features
        if feature.bins is not None
    }
    with serving(home, binary, receiver, FRESHLINE_OBSERVE_PLAIN_KEYS="reports") as process:
        for asked in [["UA", "AA"], ["UA"], [*ROWS, "nobody"], []]:
            for column in process.lookup(*asked):
                feature = declared.get(column["name"])
                if feature is not None:
                    values = [NAN if value == "NaN" else value for value in column["values"]]
                    counted = Counter(bins.bin_of(feature.dtype, feature.bins, value) for value in values)
                    expected[feature.name] = expected.get(feature.name, Counter()) + counted
        process.end(signal.SIGTERM)
    for document in receiver.documents:
        assert count(document)
        assert not count(document)
    now = clock.from_us(receiver.documents[-1]["sent_at_us"])
    sums = selectors.bin_sums("reports", "delays", start=now - HOUR, end=now + HOUR)
    ids = {name: bins.id_of(feature.dtype, feature.bins) for name, feature in declared.items()}
    assert sums == {name: {ids[name]: dict(counted)} for name, counted in expected.items()}
    assert sums["delay"][ids["delay"]] == {"0": 2, "1": 3, "2": 2, "null": 1, "nan": 1}
    assert all(sum(counted.values()) == 9 for counted in expected.values())


def test_a_key_that_may_be_told_is_told(home, binary, receiver):
    told = {"FRESHLINE_OBSERVE_SAMPLE_EVERY": "1", "FRESHLINE_OBSERVE_PLAIN_KEYS": "other,reports"}
    with serving(home, binary, receiver, **told) as process:
        process.lookup("UA")
        process.end(signal.SIGTERM)
    for document in receiver.documents:
        count(document)
    (lookup,) = selectors.recent_lookups("reports", "delays")
    assert decode_key(lookup.key) == [("carrier", Dtype.STRING, "UA")]


def test_reports_of_a_killed_process_are_delivered_and_counted_once(home, binary, receiver):
    receiver.answer = lambda: 503
    spool = home / "serving" / "spool"
    with serving(home, binary, receiver) as process:
        for _ in range(20):
            process.lookup("UA", "AA")
        wait_until(lambda: requests_in(spool) == 20)
        process.end(signal.SIGKILL)
    lost = iter([None] * 3)
    receiver.answer = lambda: next(lost, 204)  # counted, but the answers are lost
    with serving(home, binary, receiver) as process:
        wait_until(lambda: not list(spool.glob("*.json")))
        process.end(signal.SIGTERM)
    taken = [count(document) for document in receiver.documents]
    assert taken.count(True) < len(taken)
    now = clock.from_us(receiver.documents[0]["sent_at_us"])
    assert selectors.sums("reports", "delays", start=now - HOUR, end=now + HOUR).requests == 20


def requests_in(spool: Path) -> int:
    documents = [json.loads(path.read_text()) for path in spool.glob("*.json")]
    return sum(minute["requests"] for document in documents for minute in document["minutes"])
