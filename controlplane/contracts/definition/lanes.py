"""The lanes of a view in a definition file."""

from controlplane.contracts import schedules
from controlplane.contracts.definition.reading import Fields, shown
from controlplane.contracts.lanes import DEFAULT_GRACE, DEFAULT_MAX_REFUSED, DEFAULT_MAX_REMOVED
from controlplane.contracts.model import Absent, BatchLane, DeleteWhen, DirectLane, StreamLane
from controlplane.kernel.errors import Refused

_STREAM_FORMATS = ("json",)


def read_batch(fields: Fields) -> BatchLane:
    max_refused = fields.share("max_refused")
    max_removed = fields.share("max_removed")
    lane = BatchLane(
        sources=_read_sources(fields),
        query=fields.text("query", expected="one SELECT over the names of the sources"),
        schedule=_read_schedule(fields),
        timezone=_read_timezone(fields),
        grace=fields.optional_duration("grace") or DEFAULT_GRACE,
        absent=fields.choice("absent", Absent) or Absent.REMOVE,
        max_refused=DEFAULT_MAX_REFUSED if max_refused is None else max_refused,
        max_removed=DEFAULT_MAX_REMOVED if max_removed is None else max_removed,
        max_changed=fields.share("max_changed"),
        order_by=fields.optional_text("order_by"),
    )
    fields.done()
    return lane


def read_stream(fields: Fields) -> StreamLane:
    source = fields.name("source", what="source")
    raw_format = fields.raw("format")
    if raw_format is not None and raw_format not in _STREAM_FORMATS:
        fields.mistyped("format", "one of " + ", ".join(_STREAM_FORMATS))
    lane = StreamLane(
        source=source,
        fields=fields.texts("fields", expected="an object of features and the paths of their values"),
        delete_when=_read_delete_when(fields),
    )
    fields.done()
    return lane


def read_direct(parent: Fields) -> DirectLane | None:
    """Read ``direct: true``, ``direct: false`` or ``direct: {source, heartbeat}``."""
    raw = parent.raw("direct")
    if raw is None or raw is False:
        return None
    if raw is True:
        return DirectLane()
    fields = parent.child("direct", what="direct lane (true, or {source, heartbeat})")
    lane = DirectLane(
        source=fields.optional_name("source", what="source"),
        heartbeat=fields.optional_duration("heartbeat"),
    )
    fields.done()
    return lane


def _read_sources(fields: Fields) -> tuple[str, ...]:
    if fields.has("source") == fields.has("sources"):
        if fields.has("source"):
            fields.wrong("sources", "Name one source, or several in sources; not both")
        else:
            fields.missing("source", "the name of a source, or several in sources")
        return ()
    if fields.has("source"):
        return (fields.name("source", what="source"),)
    named: list[str] = []
    for path, raw in fields.items("sources", expected="names of sources"):
        name = fields.checked_name(raw, path=path, what="source")
        if name and name in named:
            fields.problems.add(path, "duplicate", f"{name} is given twice")
        named.append(name)
    return tuple(named)


def _read_schedule(fields: Fields) -> str | None:
    schedule = fields.optional_text("schedule")
    if schedule is None:
        return None
    try:
        schedules.check_schedule(schedule)
    except Refused as refused:
        fields.problems.add_refused(fields.at("schedule"), refused)
        return None
    return " ".join(schedule.split())


def _read_timezone(fields: Fields) -> str:
    name = fields.optional_text("timezone") or "UTC"
    try:
        schedules.check_zone(name)
    except Refused as refused:
        fields.problems.add_refused(fields.at("timezone"), refused)
        return "UTC"
    return name


def _read_delete_when(fields: Fields) -> DeleteWhen | None:
    if not fields.has("delete_when"):
        return None
    rule = fields.child("delete_when", what="delete_when")
    field = rule.text("field", expected="the path of a field in the payload")
    equals = rule.raw("equals")
    if not isinstance(equals, str | int):
        rule.wrong(
            "equals", f"{shown(equals)} cannot mark a delete: a text, a whole number or a bool is expected"
        )
        equals = ""
    rule.done()
    return DeleteWhen(field=field, equals=equals)
