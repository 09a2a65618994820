"""Stored definitions, parsed. Equal text is parsed once: a record never changes under its text."""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

from controlplane.contracts.definition.entities import read_entity
from controlplane.contracts.definition.reading import Fields, Problems
from controlplane.contracts.definition.services import read_service
from controlplane.contracts.definition.sources import read_source
from controlplane.contracts.definition.views import read_view
from controlplane.contracts.model import Entity, FeatureService, FeatureView, JoinKey, Source
from controlplane.kernel.dtypes import Dtype
from store_adapters import Layout
from store_adapters.layout_json import load_columns

_CACHED = 20_000
T = TypeVar("T")


def _read(text: str, *, what: str, read: Callable[[Fields], T]) -> T:
    problems = Problems()
    record = read(Fields(json.loads(text), path="", what=what, problems=problems))
    problems.raise_any()
    return record


@lru_cache(maxsize=_CACHED)
def entity(text: str) -> Entity:
    """Return the entity that ``text`` (canonical JSON of its definition) says."""
    return _read(text, what="entity", read=read_entity)


@lru_cache(maxsize=_CACHED)
def source(text: str) -> Source:
    """Return the source."""
    return _read(text, what="source", read=read_source)


@lru_cache(maxsize=_CACHED)
def view(text: str) -> FeatureView:
    """Return the feature view."""
    return _read(text, what="feature view", read=read_view)


@lru_cache(maxsize=_CACHED)
def service(text: str) -> FeatureService:
    """Return the feature service."""
    return _read(text, what="feature service", read=read_service)


@lru_cache(maxsize=_CACHED)
def layout(number: int, columns: str) -> Layout:
    """Return the layout of that number."""
    return load_columns(number, columns)


def join_keys(entities: list[Entity]) -> tuple[JoinKey, ...]:
    """Return the join keys of a view over ``entities``, each once, sorted by name."""
    by_name = {key.name: key for entity in entities for key in entity.join_keys}
    return tuple(by_name[name] for name in sorted(by_name))


def keys(documents: Iterable[Mapping[str, str]]) -> tuple[JoinKey, ...]:
    """Return the join keys that a contract names, sorted by name."""
    found = [JoinKey(document["name"], Dtype(document["dtype"])) for document in documents]
    return tuple(sorted(found, key=lambda key: key.name))
