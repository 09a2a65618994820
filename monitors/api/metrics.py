"""Prometheus metrics of watching, read from the database when they are asked for.

The loops that judge and send are other processes than the one that is scraped: counters of theirs would stay
there, and a loop that died could not tell of it.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from controlplane.kernel import clock
from controlplane.kernel.metrics import REGISTRY
from monitors.selectors.health import all_health
from monitors.selectors.incidents import open_by_severity
from monitors.selectors.watchdog import Behind, monitoring_behind


class WatchingCollector(Collector):
    """Says how the views are, and whether anybody looks."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Name nothing at registration: that would read the database before it is there."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = clock.now()
        yield from _behind(monitoring_behind(now=now), now=now)
        yield from _views()
        yield from _incidents()


def _behind(behind: Behind, *, now: datetime) -> Iterator[GaugeMetricFamily]:
    yield GaugeMetricFamily(
        "freshline_monitoring_behind", "1 while monitoring itself is behind.", value=float(behind.is_behind)
    )
    yield GaugeMetricFamily(
        "freshline_monitors_overdue",
        "Monitors that nobody evaluated for three of their intervals.",
        value=float(behind.overdue_monitors),
    )
    unsent = (now - behind.oldest_unsent_at).total_seconds() if behind.oldest_unsent_at else 0.0
    yield GaugeMetricFamily(
        "freshline_notification_oldest_seconds", "Age of the oldest notification not yet sent.", value=unsent
    )


def _views() -> Iterator[GaugeMetricFamily]:
    family = GaugeMetricFamily("freshline_views", "Feature views by health.", labels=["project", "state"])
    labels = sorted((one.project, one.state.value) for one in all_health(now=clock.now()))
    for (project, state), views in groupby(labels):
        family.add_metric([project, state], len(list(views)))
    yield family


def _incidents() -> Iterator[GaugeMetricFamily]:
    family = GaugeMetricFamily(
        "freshline_incidents_open", "Open incidents, children not counted.", labels=["project", "severity"]
    )
    for project, severity, count in open_by_severity():
        family.add_metric([project, severity], count)
    yield family


REGISTRY.register(WatchingCollector())
