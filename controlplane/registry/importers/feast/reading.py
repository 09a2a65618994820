"""From the bytes of a registry file (``feast.core.Registry``) to records. The bytes are hostile."""

from collections.abc import Iterator

from controlplane.kernel.errors import Refused
from controlplane.registry.importers.feast.messages import Budget, Message
from controlplane.registry.importers.feast.records import (
    Column,
    Entity,
    Foreign,
    Projection,
    Registry,
    Service,
    Source,
    Thing,
    ValueType,
    View,
)
from store_adapters.errors import CorruptValue

MAX_BYTES = 16 * 1024 * 1024
_SCHEMA_VERSION = "1"
# Lists of a registry whose objects have no place here: the field, what they are called, why, whether they
# stand in a message "spec", and the field of the project there.
_FOREIGN = (
    (
        8,
        "on_demand_feature_view",
        "its Python runs in Feast at each request, and nothing here runs it",
        True,
        2,
    ),
    (19, "label_view", "what people write for training is not served here", True, 2),
    (11, "saved_dataset", "training sets are made by Feast from its offline store", True, 2),
    (13, "validation_reference", "it judges a saved dataset: give features min, max or allowed", False, 3),
    (16, "permission", "roles are given to teams, and scopes to tokens", True, 2),
    (2, "feature_table", "feature tables are of Feast 0.9: make them feature views", True, 9),
)
# By which formats that are no registry file begin, and what they are.
_OTHER_FORMATS = (
    (b"SQLite format 3\0", "it is a SQLite database, so the repository keeps a SQL registry"),
    (b"{", "it is JSON"),
    (b"PK\x03\x04", "it is a ZIP archive"),
    (b"\x1f\x8b", "it is compressed"),
)


def read_registry(data: bytes) -> Registry:
    """Return what the file says; ``Refused`` (bad_registry, too_large) where it is no registry."""
    if len(data) > MAX_BYTES:
        raise Refused("too_large", f"The registry has {len(data)} bytes; at most {MAX_BYTES} are read")
    for beginning, what in _OTHER_FORMATS:
        if data.startswith(beginning):
            raise _refused(f"{what}. `FeatureStore('.').registry.proto().SerializeToString()` gives the file")
    try:
        registry = _registry(Message(data, Budget()))
    except CorruptValue as wrong:
        raise _refused(wrong.reason) from wrong
    if not registry.project_names:
        raise _refused("it names no project")
    return registry


def _registry(whole: Message) -> Registry:
    version = whole.text(3)
    if version not in ("", _SCHEMA_VERSION):
        raise _refused(f"its schema has the version {version[:20]!r}; {_SCHEMA_VERSION} is read")
    return Registry(
        projects=tuple(_projects(whole)),
        entities=tuple(_entity(each.message(1)) for each in whole.messages(1)),
        sources=tuple(_source(each) for each in whole.messages(12)),
        views=(
            *(_view(each.message(1)) for each in whole.messages(6)),
            *(_stream_view(each.message(1)) for each in whole.messages(14)),
        ),
        services=tuple(_service(each.message(1)) for each in whole.messages(7)),
        foreign=tuple(_foreign(whole)),
    )


def _projects(whole: Message) -> Iterator[Thing]:
    for each in whole.messages(17):
        spec = each.message(1)
        yield Thing(name=spec.text(1), description=spec.text(2), tags=spec.mapping(3), owner=spec.text(4))
    for each in whole.messages(15):  # before Feast 0.41
        yield Thing(name=each.text(1))


def _foreign(whole: Message) -> Iterator[Foreign]:
    for field, kind, reason, has_spec, project in _FOREIGN:
        for each in whole.messages(field):
            spec = each.message(1) if has_spec else each
            yield Foreign(name=spec.text(1), project=spec.text(project), kind=kind, reason=reason)
    for each in whole.message(18).messages(1):
        if each.number(3) > 0:
            reason = "earlier versions stay in Feast's registry: this one becomes contract 1"
            yield Foreign(name=each.text(1), project=each.text(2), kind="version_history", reason=reason)


def _entity(spec: Message) -> Entity:
    return Entity(
        name=spec.text(1),
        project=spec.text(9),
        owner=spec.text(10),
        description=spec.text(3),
        tags=spec.mapping(8),
        join_key=spec.text(4) or spec.text(1),
        type=ValueType(spec.number(2)),
    )


def _column(column: Message) -> Column:
    return Column(
        name=column.text(1),
        type=ValueType(column.number(2)),
        tags=column.mapping(3),
        description=column.text(4),
        is_vector=column.flag(5),
    )


def _columns(message: Message, field: int) -> tuple[Column, ...]:
    return tuple(_column(each) for each in message.messages(field))


def _source(source: Message) -> Source:
    files = source.message(11)
    return Source(
        name=source.text(20),
        project=source.text(21),
        owner=source.text(25),
        description=source.text(23),
        tags=source.mapping(24),
        kind=source.number(1),
        class_name=source.text(17).rpartition(".")[2],
        uri=files.text(2),
        is_delta=files.message(1).has(2),
        endpoint=files.text(3),
        event_time=source.text(3),
        created=source.text(5),
        partition=source.text(4),
        mapping=source.mapping(2),
    )


def _optional_source(spec: Message, field: int) -> Source | None:
    return _source(spec.message(field)) if spec.has(field) else None


def _view(spec: Message) -> View:
    return View(
        name=spec.text(1),
        project=spec.text(2),
        owner=spec.text(11),
        description=spec.text(10),
        tags=spec.mapping(5),
        entities=tuple(spec.texts(3)),
        entity_columns=_columns(spec, 12),
        features=_columns(spec, 4),
        ttl=spec.duration(6),
        batch_source=_optional_source(spec, 7),
        stream_source=_optional_source(spec, 9),
        is_online=spec.flag(8),
        is_disabled=spec.flag(20),
        is_transformed=spec.has(14) or spec.has(15),
        org=spec.text(19),
    )


def _stream_view(spec: Message) -> View:
    return View(
        name=spec.text(1),
        project=spec.text(2),
        owner=spec.text(8),
        description=spec.text(6),
        tags=spec.mapping(7),
        entities=tuple(spec.texts(3)),
        entity_columns=_columns(spec, 5),
        features=_columns(spec, 4),
        ttl=spec.duration(9),
        batch_source=_optional_source(spec, 10),
        stream_source=_optional_source(spec, 11),
        is_online=spec.flag(12),
        is_disabled=spec.flag(23),
        is_transformed=spec.has(13) or spec.has(15) or spec.has(17),
        org=spec.text(22),
    )


def _service(spec: Message) -> Service:
    return Service(
        name=spec.text(1),
        project=spec.text(2),
        owner=spec.text(6),
        description=spec.text(5),
        tags=spec.mapping(4),
        projections=tuple(_projection(each) for each in spec.messages(3)),
        is_logged=spec.has(7),
        is_precomputed=spec.flag(8),
    )


def _projection(projection: Message) -> Projection:
    return Projection(
        view=projection.text(1),
        alias=projection.text(3),
        features=tuple(each.text(1) for each in projection.messages(2)),
        join_keys=projection.mapping(4),
        version=projection.number(10) if projection.has(10) else None,
    )


def _refused(why: str) -> Refused:
    return Refused("bad_registry", f"This is no registry file of Feast's that can be read: {why}")
