"""Jobs that others run in the demo's world, reported as they would be: by the openlineage client."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpCompression, HttpConfig, HttpTransport
from openlineage.client.uuid import generate_new_uuid

from controlplane.project.demo.definition import LAKE

PRODUCER = "https://airflow.apache.org"
NAMESPACE = "airflow"


@dataclass(frozen=True, slots=True)
class OutsideJob:
    """A job that stops when ``source`` does; it runs every so many hours of 2013."""

    name: str
    source: str
    every_hours: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


JOBS = (
    OutsideJob("stations.collect_observations", "weather", 1, (), ("raw/observations",)),
    OutsideJob("stations.build_weather", "weather", 1, ("raw/observations",), ("gold/weather",)),
    OutsideJob("airlines.collect_schedules", "flights", 3, (), ("raw/schedules",)),
    OutsideJob("airlines.build_flights", "flights", 3, ("raw/schedules",), ("gold/flights",)),
    OutsideJob("registry.import_planes", "planes", 24, (), ("gold/planes",)),
)


def make_client(url: str, *, token: str) -> OpenLineageClient:
    """Return a client that reports to the control plane at ``url``, as an outside pipeline's would."""
    config = HttpConfig(
        url=url,
        endpoint="api/v1/lineage",
        auth=ApiKeyTokenProvider({"apiKey": token}),
        compression=HttpCompression.GZIP,
    )
    return OpenLineageClient(transport=HttpTransport(config))


def events(*, hour: int, now: datetime, stopped: frozenset[str]) -> Iterator[RunEvent]:
    """Return a START and a COMPLETE of each job that runs in the ``hour``, but of none that is stopped."""
    for job in JOBS:
        if job.source not in stopped and hour % job.every_hours == 0:
            run = Run(runId=str(generate_new_uuid()))
            for state in (RunState.START, RunState.COMPLETE):
                yield RunEvent(
                    eventType=state,
                    eventTime=now.isoformat(),
                    run=run,
                    job=Job(namespace=NAMESPACE, name=job.name),
                    inputs=[InputDataset(namespace=LAKE, name=name) for name in job.inputs],
                    outputs=[OutputDataset(namespace=LAKE, name=name) for name in job.outputs],
                    producer=PRODUCER,
                )
