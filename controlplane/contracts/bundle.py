"""The compiled registry that serving obeys: canonical JSON with its digest."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from controlplane.contracts.documents import present
from controlplane.contracts.model import Document, Feature, FeatureService, FeatureView, Typed
from controlplane.contracts.values import to_json
from controlplane.kernel.clock import to_us
from controlplane.kernel.dtypes import Dtype, Value
from controlplane.kernel.durations import to_us as duration_us
from controlplane.kernel.errors import Refused
from controlplane.kernel.names import DEFAULT_STORE

FORMAT = 1
# A float32 travels with the digits of its float64, so that no reader has to round.
_WIDE = {Dtype.FLOAT32: Dtype.FLOAT64, Dtype.LIST_FLOAT32: Dtype.LIST_FLOAT64}


@dataclass(frozen=True, slots=True)
class BundleView:
    """A view as published. ``layouts`` names every layout that may still be stored, by number; ``layout``
    is the one that rows are written under now."""

    id: int
    contract: int
    view: FeatureView
    join_keys: Sequence[Typed]
    layout: int
    layouts: Mapping[int, Sequence[Typed]]


@dataclass(frozen=True, slots=True)
class BundleProject:
    """``store`` names the online store that holds the rows."""

    views: Collection[BundleView]
    services: Collection[FeatureService]
    store: str = DEFAULT_STORE


@dataclass(frozen=True, slots=True)
class BundleToken:
    """A lookup token: the hex digest of its secret, and projects by name, or ``*``."""

    sha256: str
    projects: Collection[str]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CompiledBundle:
    """``digest`` is the hex SHA-256 of ``body``, which is served as it is."""

    body: bytes
    digest: str


def compile_bundle(
    *,
    registry: str,
    number: int,
    default_project: str | None,
    projects: Mapping[str, BundleProject],
    tokens: Collection[BundleToken] = (),
) -> CompiledBundle:
    """Return the bundle: equal registries give equal bytes, in whatever order things come.

    A feature that a service names and its view no longer has becomes one of the view's retired features. A
    view that a service names must be there, at worst without features, else ``Refused``.
    """
    document = {
        "default_project": default_project,
        "format": FORMAT,
        "number": number,
        "registry": registry,
        "store": {"name": DEFAULT_STORE},
        "tokens": sorted((_token(token) for token in tokens), key=lambda token: str(token["sha256"])),
        "projects": {name: _project(name, project) for name, project in projects.items()},
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    body = text.encode("utf-8")
    return CompiledBundle(body=body, digest=hashlib.sha256(body).hexdigest())


def _token(token: BundleToken) -> Document:
    return {
        "expires_us": None if token.expires_at is None else to_us(token.expires_at),
        "projects": sorted(token.projects),
        "sha256": token.sha256,
    }


def _project(name: str, project: BundleProject) -> Document:
    views = {published.view.name: published for published in project.views}
    retired: dict[str, set[str]] = {view: set() for view in views}
    for service in project.services:
        for ref in service.features:
            if ref.view not in views:
                message = f"{name}: {service.name} names {ref}, and the bundle has no view {ref.view}"
                raise Refused("unknown_reference", message)
            if views[ref.view].view.feature(ref.feature) is None:
                retired[ref.view].add(ref.feature)
    # Said only where it is not the default, so that a registry without named stores keeps its digest.
    named = present(store=None if project.store == DEFAULT_STORE else project.store)
    return {
        **named,
        "services": {service.name: _service(service) for service in project.services},
        "views": {view: _view(published, retired=retired[view]) for view, published in views.items()},
    }


def _service(service: FeatureService) -> Document:
    terms = service.terms
    return {
        **present(aliases=dict(service.aliases) or None),
        "features": [[ref.view, ref.feature] for ref in service.features],
        "max_rejected": service.max_rejected,
        "terms": present(
            max_age_us=terms.max_age and duration_us(terms.max_age),
            on_stale=terms.on_stale,
            on_missing=terms.on_missing,
            on_invalid=terms.on_invalid,
        ),
    }


def _view(published: BundleView, *, retired: Collection[str]) -> Document:
    view, terms = published.view, published.view.terms
    return {
        "bins": {},
        "contract": published.contract,
        "enforcement": view.enforcement,
        "features": [_feature(feature) for feature in view.features],
        "id": published.id,
        "join_keys": _columns(sorted(published.join_keys, key=lambda key: key.name)),
        "lanes": list(view.lanes),
        "layout": published.layout,
        "layouts": {str(number): _columns(columns) for number, columns in published.layouts.items()},
        "retired_features": sorted(retired),
        "terms": present(
            max_age_us=duration_us(terms.max_age),
            warn_after_us=terms.warn_after and duration_us(terms.warn_after),
            on_stale=terms.on_stale,
            on_missing=terms.on_missing,
            on_invalid=terms.on_invalid,
        ),
    }


def _feature(feature: Feature) -> Document:
    rules = present(
        min=_literal(feature.dtype.element, feature.minimum),
        max=_literal(feature.dtype.element, feature.maximum),
        allowed=None if feature.allowed is None else list(feature.allowed),
        max_length=feature.max_length,
        pattern=feature.pattern,
        min_items=feature.min_items,
        max_items=feature.max_items,
        allow_nan=feature.allow_nan or None,
        allow_inf=feature.allow_inf or None,
        default=_literal(feature.dtype, feature.default),
    )
    return {"name": feature.name, "dtype": feature.dtype, "nullable": feature.nullable, **rules}


def _literal(dtype: Dtype, value: Value) -> object:
    return to_json(_WIDE.get(dtype, dtype), value)


def _columns(columns: Sequence[Typed]) -> list[Document]:
    return [{"name": column.name, "dtype": column.dtype} for column in columns]
