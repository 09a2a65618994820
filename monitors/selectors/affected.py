"""Who suffers when views are bad: services, their models, and how much they look up."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.observations import selectors as observations
from controlplane.observations.selectors import RATE_WINDOW, ServedSums
from controlplane.registry import selectors as registry
from controlplane.registry.selectors import ServiceRecord

NOT_AS_PROMISED = ("missing", "stale", "invalid", "unavailable")


@dataclass(frozen=True, slots=True)
class Hit:
    """A view that is bad for every reader, or for one ``service`` alone, whose own terms it breaks."""

    view: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A service or a model (``kind``) and what it lately got of bad views.

    ``lookups_per_minute``: those that touched any of the views. ``bad_share``: of the values that it got of
    them, those that were not as promised; None when it looked nothing up.
    """

    name: str
    kind: str
    owner: str
    lookups_per_minute: float
    bad_share: float | None


@dataclass(frozen=True, slots=True)
class Affected:
    """Consumers of some views, each once, by name."""

    services: tuple[str, ...]
    models: tuple[str, ...]
    lookups_per_minute: float
    consumers: tuple[Consumer, ...] = ()


def affected_by(project: str, hits: Iterable[Hit], *, now: datetime) -> Affected:
    """Return the live services that are hit, their models, and what is looked up of the hit views."""
    hit: dict[str, set[str]] = defaultdict(set)
    for each in hits:
        if each.view:
            hit[each.view].add(each.service)
    reading = registry.services_reading_each(project, tuple(hit))
    seen = observations.sums_by_reader(project, tuple(hit), start=now - RATE_WINDOW, end=now) if hit else {}
    got = {key: sums for key, sums in seen.items() if _is_hit(hit[key[0]], key[1])}
    services = {
        reader.name: reader
        for view, readers in reading.items()
        for reader in readers
        if _is_hit(hit[view], reader.name)
    }
    by_model: dict[str, list[ServiceRecord]] = {}
    for reader in services.values():
        if reader.service.model:
            by_model.setdefault(reader.service.model, []).append(reader)
    consumers = [_consumer(name, "service", [services[name]], got) for name in sorted(services)]
    consumers += [_consumer(name, "model", by_model[name], got) for name in sorted(by_model)]
    return Affected(
        services=tuple(sorted(services)),
        models=tuple(sorted(by_model)),
        lookups_per_minute=_rate(sum(sums.requests for sums in got.values())),
        consumers=tuple(consumers),
    )


def _is_hit(services: Collection[str], reader: str) -> bool:
    return "" in services or reader in services


def _consumer(
    name: str, kind: str, services: Iterable[ServiceRecord], got: Mapping[tuple[str, str], ServedSums]
) -> Consumer:
    services = list(services)
    requests, everything = 0, ServedSums()
    for service in services:
        mine = [sums for (_, reader), sums in got.items() if reader == service.name]
        # A request that touches several views is counted for each: the busiest view stands for all.
        requests += max((sums.requests for sums in mine), default=0)
        everything = sum(mine, start=everything)
    return Consumer(
        name=name,
        kind=kind,
        owner=services[0].service.owner or "",
        lookups_per_minute=_rate(requests),
        bad_share=everything.share(*NOT_AS_PROMISED),
    )


def _rate(requests: int) -> float:
    return requests / (RATE_WINDOW / timedelta(minutes=1))
