"""Rounds of load, sides in turn, and the median of the rounds."""

import json
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processor_time import processor_seconds
from benchmarks.serving_beside_feast.servers import Side
from benchmarks.serving_beside_feast.table import Shape, write_bodies
from tools.console import Failure


@dataclass(frozen=True, slots=True)
class Load:
    """How the servers are asked: ``rounds`` of ``seconds`` each, over so many connections."""

    client: Path
    rounds: int
    seconds: float
    connections: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over the rounds. ``client_share``: of one core, what the load client itself used."""

    side: str
    shape: Shape
    connections: int
    per_second: float
    p50_ms: float
    p99_ms: float
    server_ms: float  # processor time of the server for one request
    client_share: float
    answer_bytes: int
    rates: tuple[float, ...]  # of every round


def measure(
    sides: Sequence[Side], shapes: Sequence[Shape], load: Load, *, entities: int, folder: Path
) -> list[Measured]:
    """Ask every side, one after the other, in every round: what disturbs the machine disturbs all of them."""
    cases = [(shape, connections) for shape in shapes for connections in load.connections]
    heard: dict[tuple[str, Shape, int], list[dict[str, float]]] = {}
    for shape in shapes:
        write_bodies(_bodies(folder, shape), shape, entities)
    for number in range(load.rounds):
        for shape, connections in cases:
            for side in sides[number % len(sides) :] + sides[: number % len(sides)]:
                said = _ask(side, shape, connections, load, folder)
                heard.setdefault((side.name, shape, connections), []).append(said)
    return [
        _median(side.name, shape, connections, heard[side.name, shape, connections])
        for shape, connections in cases
        for side in sides
    ]


def _bodies(folder: Path, shape: Shape) -> Path:
    return folder / f"{shape.service}.json"


def _ask(side: Side, shape: Shape, connections: int, load: Load, folder: Path) -> dict[str, float]:
    command = [str(load.client), "-address", side.address, "-bodies", str(_bodies(folder, shape))]
    command += [
        "-connections",
        str(connections),
        "-time",
        f"{load.seconds}s",
        "-warmup",
        f"{load.seconds / 5}s",
    ]
    before = processor_seconds(side.pid)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"{side.name}, {shape}: {done.stderr.strip()}")
    said: dict[str, float] = json.loads(done.stdout)
    said["server_ms"] = (processor_seconds(side.pid) - before) * 1000 / said["sent"]
    return said


def _median(side: str, shape: Shape, connections: int, rounds: Sequence[dict[str, float]]) -> Measured:
    def median(name: str) -> float:
        return statistics.median(each[name] for each in rounds)

    return Measured(
        side=side,
        shape=shape,
        connections=connections,
        per_second=median("per_second"),
        p50_ms=median("p50_ms"),
        p99_ms=median("p99_ms"),
        server_ms=median("server_ms"),
        client_share=statistics.median(each["client_cpu_secs"] / each["seconds"] for each in rounds),
        answer_bytes=int(median("answer_bytes")),
        rates=tuple(each["per_second"] for each in rounds),
    )
