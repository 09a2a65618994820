"""Sources, and the lanes of a view that read them: Parquet files, and what is pushed."""

from collections.abc import Iterable

from controlplane.contracts.definition.entities import NO_ENTITY_KEY
from controlplane.contracts.definition.lanes import read_batch
from controlplane.contracts.definition.sources import read_source
from controlplane.contracts.model import Absent, BatchLane, DirectLane, JoinKey, Source, SourceKind
from controlplane.kernel.errors import Refused
from controlplane.kernel.sql_guard import check_query
from controlplane.registry.importers.feast import records
from controlplane.registry.importers.feast.naming import LegalNames, described, is_legal, leave_tags
from controlplane.registry.importers.feast.remarks import Remarks
from controlplane.registry.importers.feast.rules import why_refused

_FILE, _PUSH = 1, 9
# What the column of the event time is called in frames unless a push source says otherwise.
FEAST_EVENT_TIME = "event_timestamp"
# feast.core.DataSource.SourceType, for those who read.
_KINDS = {
    2: "BigQuery",
    3: "Kafka",
    4: "Kinesis",
    5: "Redshift",
    6: "a source of its own",
    8: "Snowflake",
    10: "Trino",
    11: "Spark",
    12: "Athena",
    13: "Iceberg",
}


class Sources:
    """The sources that lanes of the carried views read."""

    def __init__(self, found: Iterable[records.Source], teams: LegalNames, remarks: Remarks) -> None:
        self._names = LegalNames((each.name for each in found), what="source")
        self._teams = teams
        self._remarks = remarks
        self._carried: dict[str, Source] = {}

    def carried(self) -> tuple[Source, ...]:
        return tuple(self._carried[name] for name in sorted(self._carried))

    def batch_lane(
        self, view: records.View, keys: Iterable[JoinKey], features: Iterable[str]
    ) -> BatchLane | None:
        """Return the lane that reads the view's batch source, None where nothing here can."""
        found = view.batch_source
        if found is None:
            return None
        why = "its transformation runs in Feast" if view.is_transformed else _why_unreadable(found)
        if why is None:
            source, lane = self._read(found, [*(key.name for key in keys), *features])
            why = why_refused(source.to_document(), read_source, what="source") or _why_unasked(lane)
            if why is None and self._is_another(source):
                why = "another source of its name is read already"
            if why is None:
                self._carry(found, source)
                return lane
        self._remarks.leave("source", found.name, f"{why}, so no batch lane fills {view.name}")
        return None

    def direct_lane(self, view: records.View) -> DirectLane | None:
        """Return the lane for what Feast's stream source brings, None without such a source."""
        found = view.stream_source
        if found is None:
            return None
        if found.kind == _PUSH and is_legal(found.name):
            named = found.event_time if found.event_time != FEAST_EVENT_TIME else None
            self._carry(found, Source(found.name, SourceKind.PUSH, event_time=named or None))
            self._tell_renamed(view, found)
            return DirectLane(source=found.name)
        why = "its name cannot be kept" if found.kind == _PUSH else f"{_kind(found)} is not read here"
        told = f"{why}: rows of {view.name} are written to the view itself"
        self._remarks.leave("source", found.name, told)
        return DirectLane()

    def _tell_renamed(self, view: records.View, pushed: records.Source) -> None:
        """Remark on columns of pushed frames, which Feast renames as it does those of the batch source."""
        mapping = view.batch_source.mapping if view.batch_source else {}
        if mapping:
            renamed = ", ".join(f"{new} for {old}" for old, new in sorted(mapping.items()))
            told = f"its frames name columns as {view.name} does here: {renamed}"
            self._remarks.change("source", pushed.name, told)

    def _read(self, found: records.Source, wanted: Iterable[str]) -> tuple[Source, BatchLane]:
        raw = {named: column for column, named in found.mapping.items()}
        event_time = raw.get(found.event_time, found.event_time)
        created = raw.get(found.created, found.created)
        columns = {named: raw.get(named, named) for named in wanted}
        for column in filter(None, (event_time, created)):
            columns.setdefault(column, column)
        name = self._names.at(found.name)
        chosen = ", ".join(_column(column, named) for named, column in columns.items())
        source = Source(name, SourceKind.PARQUET, uri=found.uri, event_time=event_time or None)
        query = f"SELECT {chosen} FROM {_quoted(name)}"  # noqa: S608 - quoted, and checked as any query is
        # Feast's materialisation deletes nothing: a key that its source no longer has stays in the store.
        return source, BatchLane((name,), query, absent=Absent.KEEP, order_by=created or None)

    def _is_another(self, source: Source) -> bool:
        """Return whether its name is taken by one that reads something else; Feast knows sources by name."""
        taken = self._carried.get(source.name, source)
        return (taken.kind, taken.uri, taken.event_time) != (source.kind, source.uri, source.event_time)

    def _carry(self, found: records.Source, source: Source) -> None:
        if source.name in self._carried:
            return
        self._names.of(found.name, self._remarks)
        leave_tags("source", found.name, found.tags, self._remarks)
        if found.partition:
            told = f"date_partition_column {found.partition}: whole files are read"
            self._remarks.leave("source", found.name, told)
        self._carried[source.name] = Source(
            source.name,
            source.kind,
            uri=source.uri,
            event_time=source.event_time,
            owner=self._teams.owner(found, self._remarks),
            description=described("source", found, self._remarks),
        )


def _why_unreadable(found: records.Source) -> str | None:
    scheme, separator, _ = found.uri.partition("://")
    if found.kind != _FILE:
        return f"{_kind(found)} is not read here"
    if found.is_delta:
        return "Delta tables are not read here"
    if found.endpoint or (separator and scheme.lower() != "file"):
        return "only local files are read here"
    return None


def _why_unasked(lane: BatchLane) -> str | None:
    why = why_refused(lane.to_document(), read_batch, what="batch lane")
    if why is not None:
        return why
    try:
        check_query(lane.query, tables=lane.sources)
    except Refused as refused:
        return refused.detail
    return None


def _kind(found: records.Source) -> str:
    return _KINDS.get(found.kind) or found.class_name or "a source without a kind"


def _column(column: str, named: str) -> str:
    if named == NO_ENTITY_KEY:
        return f"'' AS {_quoted(named)}"
    return _quoted(column) if column == named else f"{_quoted(column)} AS {_quoted(named)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
