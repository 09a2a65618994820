"""What a definition file says, as plain records.

Each record's ``to_document()`` is its canonical form in a definition file: parsing that form again gives
an equal record. What is absent or rarely written is left out; the terms of a view are always spelled out.
Import every record from here, lanes and terms too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Literal, Protocol

from controlplane.contracts.documents import Document, literal, present
from controlplane.contracts.lanes import Absent, BatchLane, DeleteWhen, DirectLane, StreamLane
from controlplane.contracts.terms import Action, Enforcement, ServiceTerms, Terms, Tier
from controlplane.kernel import durations
from controlplane.kernel.dtypes import Dtype, Value

__all__ = [
    "Absent",
    "Action",
    "BatchLane",
    "Definition",
    "DeleteWhen",
    "DirectLane",
    "Document",
    "Enforcement",
    "Entity",
    "Feature",
    "FeatureRef",
    "FeatureService",
    "FeatureView",
    "JoinKey",
    "LineageDataset",
    "ServiceTerms",
    "Source",
    "SourceKind",
    "StreamLane",
    "Terms",
    "Tier",
    "Typed",
    "Unlimited",
]

Unlimited = Literal["unlimited"]


class SourceKind(StrEnum):
    PARQUET = "parquet"
    CSV = "csv"
    SQL = "sql"
    STREAM = "stream"
    PUSH = "push"


class Typed(Protocol):
    """Anything with a name and a dtype: a join key, a feature, a column of a layout."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> Dtype: ...


@dataclass(frozen=True, slots=True)
class JoinKey:
    name: str
    dtype: Dtype

    def to_document(self) -> Document:
        return {"name": self.name, "dtype": self.dtype.value}


@dataclass(frozen=True, slots=True)
class Entity:
    name: str
    join_keys: tuple[JoinKey, ...]
    owner: str | None = None
    description: str = ""

    def to_document(self) -> Document:
        keys = [key.to_document() for key in self.join_keys]
        return present(name=self.name, join_keys=keys, owner=self.owner, description=self.description or None)


@dataclass(frozen=True, slots=True)
class LineageDataset:
    """A dataset as OpenLineage names it."""

    namespace: str
    name: str

    def to_document(self) -> Document:
        return {"namespace": self.namespace, "name": self.name}


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from. ``lineage`` is only what the file declares; see ``naming.dataset_of``."""

    name: str
    kind: SourceKind
    uri: str | None = None
    connection: str | None = None
    table: str | None = None  # sql
    topic: str | None = None  # stream over a connection
    event_time: str | None = None
    order_by: str | None = None
    max_idle: timedelta | Unlimited | None = None
    lineage: LineageDataset | None = None
    owner: str | None = None
    description: str = ""

    def to_document(self) -> Document:
        return present(
            name=self.name,
            kind=self.kind.value,
            uri=self.uri,
            connection=self.connection,
            table=self.table,
            topic=self.topic,
            event_time=self.event_time,
            order_by=self.order_by,
            max_idle=durations.render(self.max_idle)
            if isinstance(self.max_idle, timedelta)
            else self.max_idle,
            lineage=self.lineage and self.lineage.to_document(),
            owner=self.owner,
            description=self.description or None,
        )


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of a view and its domain. ``minimum`` and ``maximum`` are inclusive, in values of the dtype
    (of its elements for a list)."""

    name: str
    dtype: Dtype
    nullable: bool = True
    minimum: int | float | None = None
    maximum: int | float | None = None
    allowed: tuple[str | int, ...] | None = None
    max_length: int | None = None
    pattern: str | None = None
    min_items: int | None = None
    max_items: int | None = None
    allow_nan: bool = False
    allow_inf: bool = False
    default: Value = None
    description: str = ""

    def to_document(self) -> Document:
        return present(
            name=self.name,
            dtype=self.dtype.value,
            nullable=self.nullable,
            min=literal(self.dtype.element, self.minimum),
            max=literal(self.dtype.element, self.maximum),
            allowed=None if self.allowed is None else list(self.allowed),
            max_length=self.max_length,
            pattern=self.pattern,
            min_items=self.min_items,
            max_items=self.max_items,
            allow_nan=self.allow_nan or None,
            allow_inf=self.allow_inf or None,
            default=literal(self.dtype, self.default),
            description=self.description or None,
        )


@dataclass(frozen=True, slots=True)
class FeatureView:
    name: str
    entities: tuple[str, ...]
    features: tuple[Feature, ...]
    terms: Terms
    owner: str | None = None
    description: str = ""
    tier: Tier = Tier.SILVER
    runbook: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    enforcement: Enforcement = Enforcement.ENFORCE
    expire_after: timedelta | None = None
    batch: BatchLane | None = None
    stream: StreamLane | None = None
    direct: DirectLane | None = None

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes that may write this view, in the order batch, stream, direct."""
        declared = {"batch": self.batch, "stream": self.stream, "direct": self.direct}
        return tuple(name for name, lane in declared.items() if lane is not None)

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources that any lane reads, each once, in the order of the lanes."""
        named = list(self.batch.sources) if self.batch else []
        named += [self.stream.source] if self.stream else []
        named += [self.direct.source] if self.direct and self.direct.source else []
        return tuple(dict.fromkeys(named))

    def feature(self, name: str) -> Feature | None:
        return next((feature for feature in self.features if feature.name == name), None)

    def to_document(self) -> Document:
        return present(
            name=self.name,
            entities=list(self.entities),
            owner=self.owner,
            description=self.description or None,
            tier=self.tier.value,
            runbook=self.runbook,
            tags=dict(self.tags) or None,
            features=[feature.to_document() for feature in self.features],
            **self.terms.to_document(),
            enforcement=self.enforcement.value,
            expire_after=self.expire_after and durations.render(self.expire_after),
            batch=self.batch and self.batch.to_document(),
            stream=self.stream and self.stream.to_document(),
            direct=self.direct and self.direct.to_document(),
        )


@dataclass(frozen=True, slots=True, order=True)
class FeatureRef:
    """``view:feature``, as a feature service writes it."""

    view: str
    feature: str

    def __str__(self) -> str:
        return f"{self.view}:{self.feature}"


@dataclass(frozen=True, slots=True)
class FeatureService:
    """What a consumer asks for. ``slo`` is kept as it was given.

    ``aliases``: what stands for a view, by its name, in full feature names (``origin__temperature``).
    """

    name: str
    features: tuple[FeatureRef, ...]
    terms: ServiceTerms = field(default_factory=ServiceTerms)
    max_rejected: float = 1.0
    owner: str | None = None
    description: str = ""
    model: str | None = None
    slo: Mapping[str, object] | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)

    def to_document(self) -> Document:
        return present(
            name=self.name,
            owner=self.owner,
            description=self.description or None,
            model=self.model,
            features=[str(ref) for ref in self.features],
            aliases=dict(self.aliases) or None,
            **self.terms.to_document(),
            max_rejected=self.max_rejected,
            slo=None if self.slo is None else dict(self.slo),
        )


@dataclass(frozen=True, slots=True)
class Definition:
    """One project, whole. Names are unique within each of the four.

    ``store`` is the name of the online store that holds the project's rows. None says nothing of it: in a
    file, that it stays where it is; in a whole project, that it is the default one.
    """

    project: str
    entities: tuple[Entity, ...] = ()
    sources: tuple[Source, ...] = ()
    feature_views: tuple[FeatureView, ...] = ()
    feature_services: tuple[FeatureService, ...] = ()
    store: str | None = None

    def to_document(self) -> Document:
        return present(
            version=1,
            project=self.project,
            store=self.store,
            entities=[entity.to_document() for entity in self.entities] or None,
            sources=[source.to_document() for source in self.sources] or None,
            feature_views=[view.to_document() for view in self.feature_views] or None,
            feature_services=[service.to_document() for service in self.feature_services] or None,
        )
