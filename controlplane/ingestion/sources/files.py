"""Batch sources: which files they are, and whether they stood still while they were read."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from controlplane.contracts.model import Source, SourceKind
from controlplane.ingestion.sources.roots import find_files
from controlplane.kernel.errors import Refused

# Linking takes far less than reading: who replaces a file this often meanwhile leaves no instant to read it.
HOLD_TRIES = 5
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
    """The files of one source as they were found. ``is_held``: these are links of our own to them."""

    source: Source
    states: tuple[FileState, ...]
    is_held: bool = False

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


def find_and_hold(source: Source, folder: Path) -> BatchFiles:
    """Find the files of a source, and return links to them in ``folder``: one that is replaced while it is
    read is read to its end.

    Where no link can be made (another file system, somebody else's file), or where the source changes each
    time that it is linked, the files are returned as they were found.
    """
    for _ in range(HOLD_TRIES):
        found = find_batch_files(source)
        held = hold_files(found, folder)
        if held is not None:
            return held
        if changed_since([found]) is None:
            break
    return found


def hold_files(found: BatchFiles, folder: Path) -> BatchFiles | None:
    """Return links to the files in ``folder``; None where none can be made, or when the source changed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = tuple(_link(state, folder, number) for number, state in enumerate(found.states))
    except OSError:
        return None
    if any(not _is_same(link, state) for link, state in zip(held, found.states, strict=True)):
        return None
    # All of them as they were at one instant: nothing came, went or was replaced while they were linked.
    if changed_since([found]) is not None:
        return None
    return BatchFiles(found.source, held, is_held=True)


def changed_since(found: Iterable[BatchFiles]) -> str | None:
    """Return the name of a source whose files are no longer what they were, None when all are."""
    for each in found:
        try:
            now = _look_again(each)
        except (Refused, OSError):
            return each.source.name
        if now != each.states:
            return each.source.name
    return None


def _look_again(found: BatchFiles) -> tuple[FileState, ...]:
    if found.is_held:
        return tuple(_look(state.path) for state in found.states)
    return find_batch_files(found.source).states


def _link(state: FileState, folder: Path, number: int) -> FileState:
    link = folder / f"{number}-{state.path.name}"
    link.unlink(missing_ok=True)
    os.link(state.path, link)
    return _look(link)


def _is_same(one: FileState, other: FileState) -> bool:
    return (one.inode, one.size, one.modified_ns) == (other.inode, other.size, other.modified_ns)


def _look(path: Path) -> FileState:
    stat = path.stat()
    return FileState(path, stat.st_ino, stat.st_size, stat.st_mtime_ns)
