"""What a registry of Feast's says, as plain records: no more than can be carried over or must be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from controlplane.kernel.dtypes import Dtype

# What Feast puts in the place of the entity that a view has none of.
NO_ENTITY = "__dummy"

# feast.types.ValueType: its names, and the dtypes of those that have one here.
_NAMES = [
    "INVALID",
    "BYTES",
    "STRING",
    "INT32",
    "INT64",
    "DOUBLE",
    "FLOAT",
    "BOOL",
    "UNIX_TIMESTAMP",
    "9",
    "10",
    "BYTES_LIST",
    "STRING_LIST",
    "INT32_LIST",
    "INT64_LIST",
    "DOUBLE_LIST",
    "FLOAT_LIST",
    "BOOL_LIST",
    "UNIX_TIMESTAMP_LIST",
    "NULL",
    "MAP",
    "MAP_LIST",
    "BYTES_SET",
    "STRING_SET",
    "INT32_SET",
    "INT64_SET",
    "DOUBLE_SET",
    "FLOAT_SET",
    "BOOL_SET",
    "UNIX_TIMESTAMP_SET",
    "30",
    "31",
    "JSON",
    "JSON_LIST",
    "STRUCT",
    "STRUCT_LIST",
    "UUID",
    "TIME_UUID",
    "UUID_LIST",
    "TIME_UUID_LIST",
    "UUID_SET",
    "TIME_UUID_SET",
    "VALUE_LIST",
    "VALUE_SET",
    "DECIMAL",
    "DECIMAL_LIST",
    "DECIMAL_SET",
    "SCALAR_MAP",
    "ZONED_TIMESTAMP",
]
_SCALARS = {
    1: Dtype.BYTES,
    2: Dtype.STRING,
    3: Dtype.INT32,
    4: Dtype.INT64,
    5: Dtype.FLOAT64,
    6: Dtype.FLOAT32,
    7: Dtype.BOOL,
    8: Dtype.TIMESTAMP,
}
_DTYPES = _SCALARS | {number + 10: Dtype(f"list<{dtype}>") for number, dtype in _SCALARS.items()}


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type by Feast's number of it."""

    number: int = 0

    @property
    def is_known(self) -> bool:
        return self.number != 0

    @property
    def dtype(self) -> Dtype | None:
        return _DTYPES.get(self.number)

    def __str__(self) -> str:
        return _NAMES[self.number] if 0 <= self.number < len(_NAMES) else str(self.number)


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ValueType
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    is_vector: bool = False


@dataclass(frozen=True, slots=True)
class Thing:
    """What every object of a registry has."""

    name: str
    project: str = ""
    owner: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entity(Thing):
    join_key: str = ""
    type: ValueType = field(default_factory=ValueType)


@dataclass(frozen=True, slots=True)
class Source(Thing):
    """``kind`` is Feast's number of it; ``mapping`` leads from columns to the names that views give them."""

    kind: int = 0
    class_name: str = ""
    uri: str = ""
    is_delta: bool = False
    endpoint: str = ""
    event_time: str = ""
    created: str = ""
    partition: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View(Thing):
    entities: tuple[str, ...] = ()
    entity_columns: tuple[Column, ...] = ()
    features: tuple[Column, ...] = ()
    ttl: timedelta = timedelta(0)
    batch_source: Source | None = None
    stream_source: Source | None = None
    is_online: bool = True
    is_disabled: bool = False
    is_transformed: bool = False
    org: str = ""


@dataclass(frozen=True, slots=True)
class Projection:
    """Features of one view, as a service names them."""

    view: str
    features: tuple[str, ...] = ()
    alias: str = ""
    join_keys: Mapping[str, str] = field(default_factory=dict)
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Service(Thing):
    projections: tuple[Projection, ...] = ()
    is_logged: bool = False
    is_precomputed: bool = False


@dataclass(frozen=True, slots=True)
class Foreign(Thing):
    """An object of a kind that does not exist here, with the reason."""

    kind: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry file, whole: of every project in it."""

    projects: tuple[Thing, ...]
    entities: tuple[Entity, ...]
    sources: tuple[Source, ...]
    views: tuple[View, ...]
    services: tuple[Service, ...]
    foreign: tuple[Foreign, ...]

    @property
    def project_names(self) -> list[str]:
        """The names of its projects, sorted."""
        things = (*self.projects, *self.entities, *self.sources, *self.views, *self.services, *self.foreign)
        own = {each.name for each in self.projects}
        return sorted((own | {each.project for each in things}) - {""})
