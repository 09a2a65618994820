"""Asking servers through the load client, a process of its own, and the medians of rounds."""

import json
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.processor_time import processor_seconds
from benchmarks.serving.processes import Side
from benchmarks.serving.table import ALL_VIEWS, KEY, PROJECT, Shape, request_bodies
from tools.console import Failure

FEAST_PATH = "/get-online-features"
LOOKUP_PATH = "/v1/lookup"
ARROW = "application/vnd.apache.arrow.stream"


@dataclass(frozen=True, slots=True)
class Load:
    """How servers are asked: ``rounds`` of ``seconds`` each, about so many entities."""

    client: Path
    rounds: int
    seconds: float
    entities: int


@dataclass(frozen=True, slots=True)
class Answers:
    """What the load client counted of one target. ``server_ms``: processor time for a request."""

    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    answer_bytes: float
    client_share: float  # of one core
    server_ms: float


def post(side: Side, *, path: str = FEAST_PATH, accept: str = "") -> dict[str, Any]:
    """Return a target: requests that a server answers."""
    return {"address": side.address, "path": path, "accept": accept}


def fetch(store_url: str) -> dict[str, Any]:
    """Return a target: the rows of all views, read from the store as they are."""
    views = [view.name for view in ALL_VIEWS]
    return {"fetch": {"store": store_url, "project": PROJECT, "join_key": KEY, "views": views}}


def ask(
    load: Load,
    shape: Shape,
    targets: Sequence[dict[str, Any]],
    *,
    connections: int = 1,
    rate: float = 0,
    seconds: float | None = None,
    server: Side | None = None,
) -> list[Answers]:
    """Ask the targets in turn, request by request, or at a rate; return what each answered.

    Only with one target is ``server_ms`` known, and only where ``server`` says which process it is.
    """
    lasting = seconds or load.seconds
    plan = {
        "targets": list(targets),
        "bodies": request_bodies(shape, load.entities),
        "connections": connections,
        "rate": rate,
        "warmup_seconds": lasting / 5,
        "seconds": lasting,
    }
    before = processor_seconds(server.pid) if server else 0.0
    done = subprocess.run(
        [str(load.client)], input=json.dumps(plan), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failure(f"{server.name if server else 'a server'}, {shape}: {done.stderr.strip()}")
    used = processor_seconds(server.pid) - before if server else 0.0
    return [
        Answers(
            per_second=said["per_second"],
            p50_ms=said["p50_ms"],
            p95_ms=said["p95_ms"],
            p99_ms=said["p99_ms"],
            answer_bytes=said["answer_bytes"],
            client_share=said["client_cpu_secs"] / said["seconds"],
            server_ms=used * 1000 / said["sent"],
        )
        for said in json.loads(done.stdout)
    ]


def median(rounds: Sequence[Answers]) -> Answers:
    """Return the median of each figure over the rounds."""
    figures = [asdict(each) for each in rounds]
    return Answers(**{name: statistics.median(each[name] for each in figures) for name in figures[0]})
