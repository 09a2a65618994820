"""What the reading process is told and what it tells: JSON documents over a pipe and a file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# Files in the run's private folder.
ROWS = "rows.parquet"  # the query's result, typed
STAGE = "stage.parquet"  # every key with what becomes of it
DELTA = "delta.parquet"  # the keys to write, with values
SAMPLE = "sample.parquet"  # some of the unchanged keys, with values
KEYLESS = "keyless.parquet"  # some of the rows whose key cannot be read
TOUCHED = "touched.parquet"
REFUSED = "refused.parquet"
NEXT_MANIFEST = "manifest.parquet"
RESULT = "result.json"

PARTITIONS = 64
EVERYTHING = "*"
MAX_KEYLESS = 1_000


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    dtype: str


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """A source as the engine opens it."""

    name: str
    kind: str  # parquet, csv
    files: list[str]
    event_time: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the reading process may use."""

    memory_mb: int
    threads: int
    temp_mb: int


@dataclass(frozen=True, slots=True)
class CompareJob:
    """Read the sources and compare with the manifest. Times are microseconds since 1970.

    ``touched`` and ``dirty`` are Parquet files of join keys: keys not to be trusted, and keys that a run
    without a manifest may have written. ``repair`` lists partitions, or EVERYTHING.
    """

    sources: list[SourceFiles]
    query: str
    as_of_us: int
    join_keys: list[Column]
    features: list[Column]
    event_time: str | None
    order_by: str | None
    default_event_us: int
    limits: Limits
    manifest: str | None = None
    trusts_digests: bool = True
    touched: str | None = None
    dirty: list[str] = field(default_factory=list)
    repair: list[int | str] = field(default_factory=list)
    keeps_absent: bool = False
    is_full: bool = False
    refresh_before_us: int | None = None
    forget_before_us: int = 0
    sample_size: int = 200
    seed: int = 0

    def to_document(self) -> dict[str, Any]:
        return {"operation": "compare", **asdict(self)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "CompareJob":
        fields = {name: value for name, value in document.items() if name != "operation"}
        fields["sources"] = [SourceFiles(**source) for source in fields["sources"]]
        fields["join_keys"] = [Column(**column) for column in fields["join_keys"]]
        fields["features"] = [Column(**column) for column in fields["features"]]
        fields["limits"] = Limits(**fields["limits"])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class ManifestJob:
    """Make the next manifest of the compared stage, once it is known what was refused."""

    join_keys: list[str]
    manifest: str | None
    dirty: list[str]
    metadata: dict[str, str]
    written_us: int
    limits: Limits

    def to_document(self) -> dict[str, Any]:
        return {"operation": "manifest", **asdict(self)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "ManifestJob":
        fields = {name: value for name, value in document.items() if name != "operation"}
        fields["limits"] = Limits(**fields["limits"])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class AmendJob:
    """Make the next manifest anew, without the rows that the store had no room for.

    ``unwritten`` is a file of their join keys, with what the manifest said of them before: ``event_us``,
    ``written_us`` and ``removed``, null where it knew nothing. ``amended`` is the file to make.
    """

    join_keys: list[str]
    unwritten: str
    amended: str
    limits: Limits

    def to_document(self) -> dict[str, Any]:
        return {"operation": "amend", **asdict(self)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "AmendJob":
        fields = {name: value for name, value in document.items() if name != "operation"}
        fields["limits"] = Limits(**fields["limits"])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class SourceShown:
    """What a source showed: its rows and its newest event time (None when it declares none, or is empty)."""

    name: str
    rows: int
    newest_us: int | None


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found, in rows or keys."""

    sources: list[SourceShown]
    rows: int  # that the query gave
    keyless: int
    ambiguous: int
    known: int  # keys of the manifest that are not removed
    unsure: int  # of those, keys of which the manifest does not know when they happened: only the store does
    changes: dict[str, int]
    seconds: dict[str, float]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Compared":
        return cls(**{**document, "sources": [SourceShown(**source) for source in document["sources"]]})


class EngineFailure(Exception):
    """What the reading process could not do, with a code of kernel.codes."""

    def __init__(
        self, code: str, message: str, *, source: str | None = None, column: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.source = source
        self.column = column
