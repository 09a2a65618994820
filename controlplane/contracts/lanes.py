"""The three ways in which rows get into a view."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from controlplane.contracts.documents import Document, present
from controlplane.kernel import durations


class Absent(StrEnum):
    """What a batch run does with a key that its query no longer gives."""

    REMOVE = "remove"
    KEEP = "keep"


DEFAULT_GRACE = timedelta(minutes=5)
DEFAULT_MAX_REFUSED = 0.05
DEFAULT_MAX_REMOVED = 0.10


@dataclass(frozen=True, slots=True)
class BatchLane:
    """Scheduled SQL over sources. ``schedule`` None: only when somebody asks for a run.

    ``max_refused``, ``max_removed`` and ``max_changed`` are shares from 0 to 1; None switches one off.
    ``order_by`` None: the source's own.
    """

    sources: tuple[str, ...]
    query: str
    schedule: str | None = None
    timezone: str = "UTC"
    grace: timedelta = DEFAULT_GRACE
    absent: Absent = Absent.REMOVE
    max_refused: float = DEFAULT_MAX_REFUSED
    max_removed: float = DEFAULT_MAX_REMOVED
    max_changed: float | None = None
    order_by: str | None = None

    def to_document(self) -> Document:
        one = len(self.sources) == 1
        return present(
            source=self.sources[0] if one else None,
            sources=None if one else list(self.sources),
            query=self.query,
            schedule=self.schedule,
            timezone=self.timezone,
            grace=durations.render(self.grace),
            absent=self.absent.value,
            max_refused=None if self.max_refused == DEFAULT_MAX_REFUSED else self.max_refused,
            max_removed=None if self.max_removed == DEFAULT_MAX_REMOVED else self.max_removed,
            max_changed=self.max_changed,
            order_by=self.order_by,
        )


@dataclass(frozen=True, slots=True)
class DeleteWhen:
    """An event is a delete when its payload's ``field`` (a dotted path) equals ``equals``."""

    field: str
    equals: str | int | bool

    def to_document(self) -> Document:
        return {"field": self.field, "equals": self.equals}


@dataclass(frozen=True, slots=True)
class StreamLane:
    """Events of a stream source. ``fields``: join key or feature -> dotted path in the payload."""

    source: str
    format: str = "json"
    fields: Mapping[str, str] = field(default_factory=dict)
    delete_when: DeleteWhen | None = None

    def path_of(self, name: str) -> str:
        """Return the dotted path at which the payload holds the join key or feature ``name``."""
        return self.fields.get(name, name)

    def to_document(self) -> Document:
        return present(
            source=self.source,
            format=self.format,
            fields=dict(self.fields) or None,
            delete_when=self.delete_when and self.delete_when.to_document(),
        )


@dataclass(frozen=True, slots=True)
class DirectLane:
    """Rows posted by a writer. ``source`` is a push source that names the upstream job's dataset."""

    source: str | None = None
    heartbeat: timedelta | None = None

    def to_document(self) -> Document | bool:
        said = present(source=self.source, heartbeat=self.heartbeat and durations.render(self.heartbeat))
        return said or True
