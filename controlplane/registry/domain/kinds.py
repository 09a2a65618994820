"""The four kinds of objects in a definition file, and who may refer to whom."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from controlplane.contracts.model import Definition, Document


class Defined(Protocol):
    """One object of a definition file."""

    @property
    def name(self) -> str: ...
    @property
    def owner(self) -> str | None: ...
    def to_document(self) -> Document: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """``plural`` names the list in a definition file, ``words`` the kind in a sentence. ``read_only`` are the
    fields that the API adds when it shows one: sent back, they are ignored."""

    name: str
    plural: str
    words: str
    read_only: frozenset[str]
    referrers: Callable[[Definition, str], list[str]]

    def all(self, definition: Definition) -> tuple[Defined, ...]:
        """Return the objects of this kind."""
        found: tuple[Defined, ...] = getattr(definition, self.plural)
        return found

    def find(self, definition: Definition, name: str) -> Defined | None:
        """Return the object of that name."""
        return next((each for each in self.all(definition) if each.name == name), None)

    def without(self, definition: Definition, name: str) -> Definition:
        """Return the definition without the object of that name."""
        kept: Any = tuple(each for each in self.all(definition) if each.name != name)
        return replace(definition, **{self.plural: kept})


def _views_of_entity(definition: Definition, name: str) -> list[str]:
    return [f"feature_view.{view.name}" for view in definition.feature_views if name in view.entities]


def _views_of_source(definition: Definition, name: str) -> list[str]:
    return [f"feature_view.{view.name}" for view in definition.feature_views if name in view.sources]


def _services_of_view(definition: Definition, name: str) -> list[str]:
    return [
        f"feature_service.{service.name}"
        for service in definition.feature_services
        if any(ref.view == name for ref in service.features)
    ]


def _nobody(definition: Definition, name: str) -> list[str]:
    return []


_SHOWN = frozenset({"project", "created_at", "changed_at"})
ENTITY = Kind("entity", "entities", "entity", _SHOWN | {"feature_views"}, _views_of_entity)
SOURCE = Kind("source", "sources", "source", _SHOWN | {"feature_views"}, _views_of_source)
FEATURE_VIEW = Kind(
    "feature_view",
    "feature_views",
    "feature view",
    _SHOWN | {"contract", "layout", "join_keys", "feature_services", "lanes", "paused"},
    _services_of_view,
)
FEATURE_SERVICE = Kind("feature_service", "feature_services", "feature service", _SHOWN, _nobody)
