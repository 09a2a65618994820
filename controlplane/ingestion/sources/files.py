"""Batch sources: which files they are, and whether they stood still while they were read."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from controlplane.contracts.model import Source, SourceKind
from controlplane.ingestion.sources.roots import find_files
from controlplane.kernel.errors import Refused

FILE_KINDS = frozenset({SourceKind.PARQUET, SourceKind.CSV})


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells that a file was replaced or written to."""

    path: Path
    inode: int
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class BatchFiles:
    """The files of one source as they were found."""

    source: Source
    states: tuple[FileState, ...]

    @property
    def paths(self) -> list[str]:
        return [str(state.path) for state in self.states]

    @property
    def newest_change_us(self) -> int:
        """The newest modification, in microseconds since 1970."""
        return max(state.modified_ns for state in self.states) // 1_000


def find_batch_files(source: Source) -> BatchFiles:
    """Return the files of a Parquet or CSV source; ``Refused`` outside the roots or when there are none."""
    if source.kind not in FILE_KINDS or source.uri is None:
        raise Refused("source_unreadable", f"source {source.name} is no file: {source.kind} is not read yet")
    try:
        paths = find_files(source.uri)
    except Refused as refused:
        raise Refused(refused.code, f"source {source.name}: {refused.detail}") from refused
    return BatchFiles(source, tuple(_look(path) for path in paths))


def changed_since(found: Iterable[BatchFiles]) -> str | None:
    """Return the name of a source whose files are no longer what they were, None when all are."""
    for each in found:
        try:
            if find_batch_files(each.source).states != each.states:
                return each.source.name
        except (Refused, OSError):
            return each.source.name
    return None


def _look(path: Path) -> FileState:
    stat = path.stat()
    return FileState(path, stat.st_ino, stat.st_size, stat.st_mtime_ns)
