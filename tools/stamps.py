"""What need not be done again: a stamp holds the digest of everything that a result was made from."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.places import DOWNLOADS, ROOT


def digest(files: Iterable[Path], *facts: str) -> str:
    """Return one SHA-256 over names and contents of files, and over further facts (versions, say)."""
    whole = hashlib.sha256()
    for fact in facts:
        whole.update(fact.encode() + b"\0")
    for path in sorted(files):
        name = str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
        whole.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def files_under(folder: Path, *, without: Iterable[str] = (), suffixes: Iterable[str] = ()) -> Iterator[Path]:
    """Yield the files below ``folder`` except in folders named in ``without``; of some suffixes, if given."""
    skipped, wanted = frozenset(without), frozenset(suffixes)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir():
            if path.name not in skipped:
                yield from files_under(path, without=skipped, suffixes=wanted)
        elif not wanted or path.suffix in wanted:
            yield path


class Stamp:
    """The digest of what the result called ``name`` was made from, kept in ``folder``."""

    def __init__(self, name: str, folder: Path = DOWNLOADS / "stamps") -> None:
        self._path = folder / name

    def is_current(self, value: str) -> bool:
        """Whether the result was made from exactly this."""
        return self._path.is_file() and self._path.read_text() == value

    def record(self, value: str) -> None:
        """Remember what the result was made from; call it only once the result is whole."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(value)
