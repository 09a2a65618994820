"""Sources of a definition file. Which files and hosts may be read is decided where they are read."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from controlplane.contracts.definition.reading import Fields, shown
from controlplane.contracts.model import LineageDataset, Source, SourceKind, Unlimited

_FILES = ("uri", "connection", "event_time", "order_by", "max_idle")
# The fields that a kind of source has, beside those that every source has.
_FIELDS: dict[SourceKind, tuple[str, ...]] = {
    SourceKind.PARQUET: _FILES,
    SourceKind.CSV: _FILES,
    SourceKind.SQL: ("connection", "table", "event_time", "order_by", "max_idle"),
    SourceKind.STREAM: ("uri", "connection", "topic", "event_time", "max_idle"),
    SourceKind.PUSH: ("event_time",),
}
_REQUIRED: dict[SourceKind, tuple[str, ...]] = {
    SourceKind.PARQUET: ("uri",),
    SourceKind.CSV: ("uri",),
    SourceKind.SQL: ("connection", "table"),
    SourceKind.STREAM: (),
    SourceKind.PUSH: (),
}
_EXPECTED = {
    "uri": "a path or address of files",
    "connection": "the name of a connection that an admin made",
    "table": "the table to read",
    "topic": "the topic or stream key to read",
}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NETWORK_SCHEMES = ("gs", "http", "https", "s3")


def read_source(fields: Fields) -> Source:
    name = fields.name()
    kind = fields.choice("kind", SourceKind)
    if kind is None and not fields.has("kind"):
        fields.missing("kind", "one of " + ", ".join(SourceKind))
    source = Source(
        name=name,
        kind=kind or SourceKind.PARQUET,
        uri=_read_uri(fields),
        connection=fields.optional_name("connection", what="connection"),
        table=fields.optional_text("table"),
        topic=fields.optional_text("topic"),
        event_time=fields.optional_text("event_time"),
        order_by=fields.optional_text("order_by"),
        max_idle=_read_max_idle(fields),
        lineage=_read_lineage(fields),
        owner=fields.optional_name("owner", what="team"),
        description=fields.description(),
    )
    if kind is not None:
        _check_kind(fields, kind=kind)
        _check_place(fields, source=source)
    fields.done()
    return source


def _read_uri(fields: Fields) -> str | None:
    uri = fields.optional_text("uri")
    scheme = _SCHEME.match(uri or "")
    if uri is None or scheme is None:
        return uri
    try:
        parts = urlsplit(uri)
    except ValueError as wrong:
        fields.wrong("uri", f"{shown(uri)} is no address: {wrong}")
        return None
    if "@" in parts.netloc or (parts.query and scheme[1].lower() in _NETWORK_SCHEMES):
        # Never quoted: what stands there may be a secret.
        fields.wrong(
            "uri", "An address carries no credentials and no query: name a connection, which holds them"
        )
        return None
    allowed = ("file", *_NETWORK_SCHEMES)
    if scheme[1].lower() not in allowed:
        fields.wrong("uri", f"{scheme[1]}:// cannot be read: one of {', '.join(allowed)}, or a path")
        return None
    return uri


def _read_max_idle(fields: Fields) -> timedelta | Unlimited | None:
    return "unlimited" if fields.raw("max_idle") == "unlimited" else fields.optional_duration("max_idle")


def _read_lineage(fields: Fields) -> LineageDataset | None:
    if not fields.has("lineage"):
        return None
    dataset = fields.child("lineage", what="lineage")
    namespace = dataset.text("namespace", expected="the namespace that OpenLineage events use")
    name = dataset.text("name", expected="the dataset's name in that namespace")
    dataset.done()
    return LineageDataset(namespace=namespace, name=name)


def _check_kind(fields: Fields, *, kind: SourceKind) -> None:
    for field in sorted({field for allowed in _FIELDS.values() for field in allowed}):
        if fields.has(field) and field not in _FIELDS[kind]:
            allowed = ", ".join(_FIELDS[kind]) or "no fields of its own"
            message = f"A {kind} source has no field {field}; it has {allowed}"
            fields.wrong(field, message, code="unknown_field")
    for field in _REQUIRED[kind]:
        if not fields.has(field):
            fields.missing(field, _EXPECTED[field])


def _check_place(fields: Fields, *, source: Source) -> None:
    """Tell whether it is clear where the rows are: a local place, or one behind a connection."""
    scheme = _SCHEME.match(source.uri or "")
    is_network = scheme is not None and scheme[1].lower() in _NETWORK_SCHEMES
    if source.kind is SourceKind.STREAM:
        over_connection = source.connection is not None and source.topic is not None
        if fields.has("uri") == (fields.has("connection") or fields.has("topic")):
            fields.wrong(
                "uri", "A stream is either a file at uri, or a topic of a connection", code="missing_field"
            )
        elif not fields.has("uri") and not over_connection:
            field = "topic" if source.connection is not None else "connection"
            fields.missing(field, _EXPECTED[field])
        elif is_network:
            fields.wrong("uri", "A stream at uri is a local file; over the network name connection and topic")
    elif source.kind in (SourceKind.PARQUET, SourceKind.CSV) and source.uri is not None:
        if is_network and not fields.has("connection"):
            fields.missing("connection", f"{_EXPECTED['connection']}, for files over the network")
        if not is_network and fields.has("connection"):
            fields.wrong("connection", "A local file needs no connection")
