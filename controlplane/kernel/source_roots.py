"""Local files that a definition names: only those under the folders that the operator allows."""

from collections.abc import Iterable, Sequence
from glob import glob, has_magic
from pathlib import Path

from controlplane.kernel.errors import Refused


def check_location(uri: str, roots: Sequence[Path]) -> None:
    """Refuse a local ``uri`` that lies outside every root, whether or not anything is there yet."""
    candidates(uri, roots)


def find_files(uri: str, roots: Sequence[Path]) -> list[Path]:
    """Return the files that ``uri`` (a path or a pattern) names, resolved and sorted.

    A relative path starts at a root; where the root's own name comes first in it (``data/x.csv`` for the
    root ``/srv/data``), at the root's parent. Every file must lie under a root after its symlinks are
    resolved: else ``Refused`` with ``source_outside_roots``; with ``source_missing`` when there is none.
    """
    resolved_roots = [root.resolve() for root in roots]
    found: set[Path] = set()
    for candidate in candidates(uri, roots):
        text = str(candidate)
        matches = glob(text, recursive=True) if has_magic(text) else [text]  # noqa: PTH207 - absolute too
        found.update(Path(match).resolve() for match in matches if Path(match).is_file())
        if found:
            break
    if not found:
        if _escapes(uri, roots):
            raise _outside(uri)
        raise Refused("source_missing", f"there is no file at {uri!r}")
    for path in found:
        if not _is_under(path, resolved_roots):
            raise _outside(uri)
    return sorted(found)


def candidates(uri: str, roots: Sequence[Path]) -> list[Path]:
    """Return where ``uri`` may be, best first; ``Refused`` when all of it is outside the roots."""
    scheme, separator, rest = uri.partition("://")
    if separator and scheme.lower() != "file":
        raise Refused("source_outside_roots", f"{uri!r} is no local file: only local files are read yet")
    text = rest if separator else uri
    if "\0" in text or not text:
        raise Refused("source_outside_roots", f"{uri!r} is no path")
    path = Path(text)
    places = [path] if path.is_absolute() else _below(path, roots)
    resolved_roots = [root.resolve() for root in roots]
    allowed = [place for place in places if _is_under(_literal(place).resolve(), resolved_roots)]
    if not allowed:
        raise _outside(uri)
    return allowed


def _escapes(uri: str, roots: Sequence[Path]) -> bool:
    """Whether a symlink (or ..) leads one of the places where ``uri`` may be out of every root."""
    path = Path(uri.removeprefix("file://"))
    resolved_roots = [root.resolve() for root in roots]
    return not path.is_absolute() and any(
        not _is_under(_literal(place).resolve(), resolved_roots) for place in _below(path, roots)
    )


def _below(path: Path, roots: Iterable[Path]) -> list[Path]:
    places = []
    for root in roots:
        places.append(root / path)
        if path.parts and path.parts[0] == root.name:
            places.append(root.parent / path)
    return places


def _literal(path: Path) -> Path:
    """Return the part of a pattern before its first wildcard; what follows cannot leave it by ``..``."""
    if ".." in path.parts:
        # After a wildcard, .. would be resolved only once it is too late; nobody needs it before one.
        return Path("/..outside..") if has_magic(str(path)) else path
    kept = []
    for part in path.parts:
        if has_magic(part):
            break
        kept.append(part)
    return Path(*kept)


def _is_under(path: Path, roots: Iterable[Path]) -> bool:
    return any(path == root or path.is_relative_to(root) for root in roots)


def _outside(uri: str) -> Refused:
    return Refused("source_outside_roots", f"{uri!r} lies outside the folders of FRESHLINE_SOURCE_ROOTS")
