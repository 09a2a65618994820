"""One thing that a change does, how bad it is, and to whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from controlplane.contracts.model import Definition, FeatureService, FeatureView, ServiceTerms, Terms


class Level(StrEnum):
    """How a change treats those who rely on what was promised, mildest first."""

    COMPATIBLE = "compatible"
    RISKY = "risky"
    BREAKING = "breaking"

    @property
    def severity(self) -> int:
        return _SEVERITIES[self]


_SEVERITIES = {level: severity for severity, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    reason: str
    consumers: tuple[str, ...] = ()


def compatible(reason: str, consumers: Iterable[str] = ()) -> Finding:
    return Finding(Level.COMPATIBLE, reason, tuple(consumers))


def risky(reason: str, consumers: Iterable[str] = ()) -> Finding:
    return Finding(Level.RISKY, reason, tuple(consumers))


def breaking(reason: str, consumers: Iterable[str] = ()) -> Finding:
    return Finding(Level.BREAKING, reason, tuple(consumers))


class Uses:
    """Who uses what once the change is made: a service that lets go of a feature with the same change is
    no longer hit by its removal."""

    def __init__(self, after: Definition) -> None:
        self._by_view: dict[str, list[FeatureService]] = {}
        self._by_feature: dict[tuple[str, str], list[FeatureService]] = {}
        for service in after.feature_services:
            for view in dict.fromkeys(ref.view for ref in service.features):
                self._by_view.setdefault(view, []).append(service)
            for view, feature in dict.fromkeys((ref.view, ref.feature) for ref in service.features):
                self._by_feature.setdefault((view, feature), []).append(service)

    def of_view(self, view: str) -> list[FeatureService]:
        return self._by_view.get(view, [])

    def of_feature(self, view: str, feature: str) -> list[FeatureService]:
        return self._by_feature.get((view, feature), [])


def names_of(services: Iterable[FeatureService]) -> tuple[str, ...]:
    return tuple(service.name for service in services)


def in_force(view: FeatureView, service: ServiceTerms) -> Terms:
    return view.terms.under(service)
