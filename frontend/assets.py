"""Where Vite put each entry: reads dist/manifest.json."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

VERSION = 1  # raise when templates change in a way that records do not show


class AssetMissing(Exception):
    """The front end has not been built, or the entry does not exist; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The file of an entry, relative to the static root, and what it imports at once."""

    file: str
    imports: tuple[str, ...]


@lru_cache(maxsize=8)
def _manifest(path: Path, _stamp: int) -> dict[str, dict[str, object]]:
    document: dict[str, dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return document


def find_entry(name: str, *, dist: Path) -> Entry:
    """Return the built files of ``name`` (as in ``main.ts``). Read again when the manifest changes."""
    path = dist / "manifest.json"
    try:
        manifest = _manifest(path, path.stat().st_mtime_ns)
        chunk = manifest[f"static_src/{name}"]
    except FileNotFoundError as missing:
        raise AssetMissing(f"{path} does not exist: build the front end with `npm run build`") from missing
    except KeyError as missing:
        raise AssetMissing(f"{path} has no entry {name}") from missing
    names = chunk.get("imports", [])
    assert isinstance(names, list)
    return Entry(file=str(chunk["file"]), imports=tuple(str(manifest[each]["file"]) for each in names))
