"""Files under STATE_URL: manifests of verified runs, frozen plans, private folders of reading processes.

Each view has a folder, named by its id, and in it

manifests/<name>.parquet    what the last verified run knew of each key
plans/<run>-<fence>/        what a run is about to write, frozen before its first write
work/<run>-<fence>/         private to one reading process
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

FORMAT = "1"
# Digests of another engine version say nothing: its hash may have changed.
ALGORITHM = f"duckdb-hash/{duckdb.__version__}/1"
PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class Folders:
    """The places of one view."""

    view_id: int

    @property
    def root(self) -> Path:
        return Path(unquote(urlsplit(settings.STATE_URL).path)) / str(self.view_id)

    def manifest(self, name: str) -> Path:
        return self.root / "manifests" / f"{name}.parquet"

    def plan(self, name: str) -> Path:
        return self.root / "plans" / name

    def work(self, name: str) -> Path:
        return self.root / "work" / name

    def make_work(self, name: str) -> Path:
        """Make an empty private folder."""
        folder = self.work(name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        return folder


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """What a manifest says of itself. ``is_trusted``: its digests can be compared with this engine's."""

    layout: int
    is_trusted: bool


def metadata(*, view_id: int, layout: int) -> dict[str, str]:
    """Return what a manifest says of itself."""
    return {"format": FORMAT, "algorithm": ALGORITHM, "view_id": str(view_id), "layout": str(layout)}


def inspect_manifest(path: Path, *, view_id: int, join_keys: Iterable[str]) -> ManifestFacts | None:
    """Return what the manifest is; None when it is lost, broken or another view's."""
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException):
        return None
    said = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    if said.get("format") != FORMAT or said.get("view_id") != str(view_id):
        return None
    if not {*join_keys, "digest", "event_us", "written_us", "removed"} <= set(schema.names):
        return None
    return ManifestFacts(int(said["layout"]), said.get("algorithm") == ALGORITHM)


def freeze(work: Path, plan: Path, facts: Mapping[str, Any], *, keep: Iterable[str]) -> None:
    """Make a plan of the files ``keep`` of a work folder: durable, and there as a whole or not at all."""
    (work / PLAN).write_text(json.dumps(facts))
    plan.parent.mkdir(parents=True, exist_ok=True)
    kept = {*keep, PLAN}
    for file in work.iterdir():
        if file.name in kept:
            sync(file)
        elif file.is_file():
            file.unlink()
    sync(work)
    shutil.rmtree(plan, ignore_errors=True)
    work.rename(plan)
    sync(plan.parent)


def read_plan(plan: Path) -> dict[str, Any]:
    """Return the facts of a frozen plan."""
    facts: dict[str, Any] = json.loads((plan / PLAN).read_text())
    return facts


def publish_manifest(made: Path, manifest: Path) -> None:
    """Put a manifest under its own name, durably. Again is harmless."""
    manifest.parent.mkdir(parents=True, exist_ok=True)
    if not manifest.exists():
        # A link, not a move: until the database points to the manifest, the plan stays whole.
        os.link(made, manifest)
    sync(manifest)
    sync(manifest.parent)


def sync(path: Path) -> None:
    """Make a file or a folder durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folders: Folders, *, manifests: Iterable[str], plans: Iterable[str], works: Iterable[str]) -> None:
    """Remove every manifest, plan and work folder of a view but the named ones."""
    for kind, kept in (
        ("manifests", {f"{name}.parquet" for name in manifests}),
        ("plans", set(plans)),
        ("work", set(works)),
    ):
        place = folders.root / kind
        for path in place.iterdir() if place.is_dir() else ():
            if path.name not in kept:
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
