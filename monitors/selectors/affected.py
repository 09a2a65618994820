"""Who suffers when views are bad: services, their models, and how much they look up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from controlplane.observations import selectors as observations
from controlplane.registry import selectors as registry


@dataclass(frozen=True, slots=True)
class Affected:
    """Consumers of some views, each once, by name."""

    services: tuple[str, ...]
    models: tuple[str, ...]
    lookups_per_minute: float


def affected_by(project: str, views: Iterable[str], *, now: datetime) -> Affected:
    """Return the live services that read any of ``views``, their models, and the lookups of those views."""
    services: set[str] = set()
    models: set[str] = set()
    lookups = 0.0
    for view in views:
        for reader in registry.services_reading(project, view):
            services.add(reader.name)
            if reader.service.model:
                models.add(reader.service.model)
        lookups += observations.lookups_per_minute(project, now=now, view=view)
    return Affected(tuple(sorted(services)), tuple(sorted(models)), lookups)
