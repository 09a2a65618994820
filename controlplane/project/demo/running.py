"""Run the replay and the receiver side by side."""

import threading

import structlog
from django.conf import settings

from controlplane.kernel import clock
from controlplane.project.demo import timeline
from controlplane.project.demo.data import DataSet
from controlplane.project.demo.places import Places
from controlplane.project.demo.receiving import receiving
from controlplane.project.demo.replay import Replay, Services
from controlplane.project.demo.timeline import Timeline

_log = structlog.get_logger(__name__)


def load_timeline(dataset: DataSet, places: Places) -> Timeline:
    """Return the timeline of this home; it begins when it is first asked for."""
    anchor_us = timeline.anchor_of(places.timeline, now=clock.now())
    return Timeline(anchor_us, dataset.begin, dataset.length)


def run(places: Places, dataset: DataSet, stop: threading.Event) -> None:
    """Replay and receive until ``stop`` is set."""
    services = Services(
        web=settings.FRESHLINE_PUBLIC_URL,
        serving=settings.FRESHLINE_SERVING_URL,
        token=places.token.read_text().strip(),
    )
    with receiving(places) as receiver:
        _log.info("demo_runs", messages=receiver.url)
        Replay(dataset, load_timeline(dataset, places), places, services).run(stop)
