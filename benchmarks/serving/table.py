"""The values that every side gets, in one Parquet file, and what is asked of them.

A hundred features in ten views, each of four float64, three int64 and three string columns.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

VIEWS = 10
DTYPES = ("float64",) * 4 + ("int64",) * 3 + ("string",) * 3
KEY = "entity_id"
EVENT_TIME = "event_timestamp"
PROJECT = "beside"
LONGEST_TEXT = 12
BODIES = 50  # of a shape, each over other entities


@dataclass(frozen=True, slots=True)
class View:
    """A feature view; feature names are unique over all of them, so that answers need no prefix."""

    name: str
    features: tuple[tuple[str, str], ...]  # name, dtype


@dataclass(frozen=True, slots=True)
class Shape:
    """What one request asks: a feature service, for so many entities."""

    service: str
    rows: int

    @property
    def features(self) -> int:
        """How many features the service names."""
        return sum(len(view.features) for view in SERVICES[self.service])

    @property
    def most_connections(self) -> int:
        """Over how many connections it is asked at most.

        Feast takes seconds for a thousand rows, and several such requests at once keep a worker busy so long
        that it is killed, by a timeout for which Feast's server has no option.
        """
        return 2 if self.rows >= 1_000 else 1_000

    def __str__(self) -> str:
        return f"{self.rows} x {self.features}"


def _view(number: int) -> View:
    return View(f"view_{number}", tuple((f"v{number}_f{place}", dtype) for place, dtype in enumerate(DTYPES)))


ALL_VIEWS = tuple(_view(number) for number in range(VIEWS))
SERVICES: dict[str, Sequence[View]] = {"narrow": ALL_VIEWS[:1], "wide": ALL_VIEWS}
ONE = Shape("narrow", 1)
HUNDRED = Shape("wide", 100)
THOUSAND = Shape("wide", 1_000)


def write_table(path: Path, entities: int, *, now: datetime) -> None:
    """Write one row for each entity. The values are random with one seed, so the same every time."""
    chance = random.Random(2)
    makers = {
        "float64": lambda: chance.uniform(0, 1_000),
        "int64": lambda: chance.randrange(1_000_000),
        "string": lambda: f"{chance.randrange(16**LONGEST_TEXT):0{LONGEST_TEXT}x}"[: chance.randrange(1, 13)],
    }
    newest = now.astimezone(UTC).replace(microsecond=250_000) - timedelta(minutes=5)
    columns: dict[str, list[object]] = {
        KEY: list(range(entities)),
        EVENT_TIME: [newest - timedelta(seconds=number % 60) for number in range(entities)],
    }
    for view in ALL_VIEWS:
        for name, dtype in view.features:
            columns[name] = [makers[dtype]() for _ in range(entities)]
    types = {"float64": pa.float64(), "int64": pa.int64(), "string": pa.string()}
    fields = [(KEY, pa.int64()), (EVENT_TIME, pa.timestamp("us", tz="UTC"))]
    fields += [(name, types[dtype]) for view in ALL_VIEWS for name, dtype in view.features]
    pq.write_table(pa.table(columns, schema=pa.schema(fields)), path)


def request_body(service: str, keys: Sequence[int]) -> dict[str, object]:
    """Return the request that every side takes as it is."""
    return {"feature_service": service, "entities": {KEY: list(keys)}}


def request_bodies(shape: Shape, entities: int) -> list[dict[str, object]]:
    """Return what the load client sends in turn: random entities, the same for every side."""
    chance = random.Random(3)
    # Of a table for a short run there are fewer entities than a request names: some come twice.
    pick = chance.sample if shape.rows <= entities else lambda among, rows: chance.choices(among, k=rows)
    return [request_body(shape.service, pick(range(entities), shape.rows)) for _ in range(BODIES)]
