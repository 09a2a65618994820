"""The first step: what of the sources is read, and how it compares with the last verified run."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from controlplane.contracts.model import Absent
from controlplane.ingestion.domain.packing import TOMBSTONES_KEPT
from controlplane.ingestion.domain.watermarks import Reading, max_idle_us
from controlplane.ingestion.engines.duckdb import compare_sources
from controlplane.ingestion.engines.jobs import (
    TOUCHED,
    Column,
    Compared,
    CompareJob,
    Limits,
    SourceFiles,
)
from controlplane.ingestion.manifests import inspect_manifest
from controlplane.ingestion.models import TouchedKey
from controlplane.ingestion.services.batch.work import Work
from controlplane.ingestion.sources.files import BatchFiles, changed_since, find_and_hold
from controlplane.kernel import clock, durations
from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import Unavailable
from controlplane.registry import selectors as registry
from store_adapters import CorruptKey, Store, decode_key

DIRTY = "dirty.parquet"
KEYS_OF_PLAN = "keys.parquet"
HELD = "sources"
_AT_ONCE = 10_000
_ADVICE = (
    "write a new file and rename it over the old one, never into the old one; and keep STATE_URL on the file "
    "system of the sources, so that a file which is replaced can be held until it is read"
)
_ARROW_TYPES = {
    Dtype.INT32: pa.int32(),
    Dtype.INT64: pa.int64(),
    Dtype.STRING: pa.string(),
    Dtype.BYTES: pa.binary(),
}


@dataclass(frozen=True, slots=True)
class ReadOut:
    """What was read. ``looks_at_store``: the manifest alone does not know what the store has."""

    compared: Compared
    readings: tuple[Reading, ...]
    read_start_us: int
    manifest: str | None
    dirty: tuple[str, ...]
    looks_at_store: bool
    is_first: bool
    is_new_layout: bool


def read_and_compare(work: Work, folder: Path) -> ReadOut:
    """Run the engine in ``folder``. ``Unavailable`` when a source changed meanwhile: try again."""
    read_start_us = clock.now_us()
    sources = [registry.find_source(work.record.project, name) for name in work.lane.sources]
    found = [find_and_hold(source, folder / HELD / source.name) for source in sources]
    manifest, trusts, is_new_layout = _known_manifest(work)
    dirty = _dirty_files(work, folder, has_manifest=manifest is not None)
    job = CompareJob(
        sources=[_as_files(each) for each in found],
        query=work.lane.query,
        as_of_us=read_start_us,
        join_keys=[Column(key.name, key.dtype.value) for key in work.record.join_keys],
        features=[Column(column.name, column.dtype.value) for column in work.record.layout.columns],
        event_time=next((each.source.event_time for each in found if each.source.event_time), None),
        order_by=work.lane.order_by or next((e.source.order_by for e in found if e.source.order_by), None),
        default_event_us=min(read_start_us, max(each.newest_change_us for each in found)),
        limits=limits(),
        manifest=manifest,
        trusts_digests=trusts,
        touched=_touched_file(work, folder),
        dirty=dirty,
        repair=list(work.state.repair),
        keeps_absent=work.lane.absent is Absent.KEEP,
        is_full=work.run.is_full,
        refresh_before_us=_refresh_before_us(work, read_start_us),
        forget_before_us=read_start_us - durations.to_us(work.record.view.expire_after or TOMBSTONES_KEPT),
        seed=work.run_number,
    )
    compared = compare_sources(folder, job, timeout=settings.FRESHLINE_BATCH_TIMEOUT, beat=work.beat_if_due)
    changed = changed_since(found)
    if changed is not None:
        raise Unavailable("source_changed", f"source {changed} changed while it was read: {_ADVICE}")
    return ReadOut(
        compared=compared,
        readings=_readings(work, found, compared, read_start_us),
        read_start_us=read_start_us,
        manifest=manifest,
        dirty=tuple(dirty),
        # Unsure keys outlive the run that found them: a refused one stays as it is.
        looks_at_store=bool(dirty) or bool(work.state.repair) or compared.unsure > 0,
        is_first=manifest is None and not dirty,
        is_new_layout=is_new_layout,
    )


def limits() -> Limits:
    """Return what a reading process may use."""
    memory: int = settings.FRESHLINE_BATCH_MEMORY_MB
    return Limits(memory_mb=memory, threads=2, temp_mb=16 * memory)


def key_table(work: Work, keys: list[bytes]) -> pa.Table:
    """Return encoded keys as columns of join keys; what is no key of this view is left out."""
    declared = [(key.name, key.dtype) for key in work.record.join_keys]
    columns: dict[str, list[object]] = {name: [] for name, _ in declared}
    for data in keys:
        try:
            parts = decode_key(data)
        except CorruptKey:
            continue
        if [(name, dtype) for name, dtype, _ in parts] == declared:
            for name, _, value in parts:
                columns[name].append(value)
    schema = pa.schema([(name, _ARROW_TYPES[dtype]) for name, dtype in declared])
    return pa.table(columns, schema=schema)


def _known_manifest(work: Work) -> tuple[str | None, bool, bool]:
    """Return the manifest's path, whether its digests can be trusted, and whether the layout is new."""
    if not work.state.manifest:
        return None, False, False
    path = work.folders.manifest(work.state.manifest)
    facts = inspect_manifest(
        path, view_id=work.record.id, join_keys=[key.name for key in work.record.join_keys]
    )
    if facts is None:
        return None, False, False
    is_new_layout = facts.layout != work.record.layout.number
    return str(path), facts.is_trusted and not is_new_layout, is_new_layout


def _dirty_files(work: Work, folder: Path, *, has_manifest: bool) -> list[str]:
    """Return files of keys that the store may hold although the manifest does not know it.

    Those of plans that were begun and never verified; and, without a manifest, every key that the store
    can list: after a lost manifest, or under a new control plane.
    """
    files = [work.folders.plan(name) / KEYS_OF_PLAN for name in work.state.dirty_plans]
    found = [str(file) for file in files if file.exists()]
    if not has_manifest:
        listed = _write_listed_keys(work, folder / DIRTY)
        found += [str(folder / DIRTY)] if listed else []
    return found


def _write_listed_keys(work: Work, path: Path) -> int:
    writer: pq.ParquetWriter | None = None
    count = 0
    after = b""
    while True:
        keys = _next_keys(work.store, work.record.project, work.record.name, after)
        if not keys:
            break
        table = key_table(work, keys)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
        count += len(keys)
        after = keys[-1]
        work.beat_if_due()
    if writer is not None:
        writer.close()
    return count


def _next_keys(store: Store, project: str, view: str, after: bytes) -> list[bytes]:
    return store.sample_keys(project, view, limit=_AT_ONCE, after=after)


def _touched_file(work: Work, folder: Path) -> str | None:
    rows = TouchedKey.objects.filter(view_id=work.record.id).values_list("key", flat=True)
    keys = [bytes(key) for key in rows.iterator(chunk_size=_AT_ONCE)]
    if not keys:
        return None
    pq.write_table(key_table(work, keys), folder / TOUCHED)
    return str(folder / TOUCHED)


def _refresh_before_us(work: Work, now_us: int) -> int | None:
    expire_after = work.record.view.expire_after
    return None if expire_after is None else now_us - durations.to_us(expire_after / 2)


def _as_files(found: BatchFiles) -> SourceFiles:
    source = found.source
    return SourceFiles(source.name, source.kind.value, found.paths, source.event_time)


def _readings(
    work: Work, found: list[BatchFiles], compared: Compared, read_start_us: int
) -> tuple[Reading, ...]:
    newest = {shown.name: shown.newest_us for shown in compared.sources}
    warn_after: timedelta = work.record.strictest_warn_after
    return tuple(
        Reading(
            source=each.source.name,
            read_start_us=read_start_us,
            progress_us=newest[each.source.name] if each.source.event_time else each.newest_change_us,
            max_idle_us=max_idle_us(each.source, strictest_warn_after=warn_after),
        )
        for each in found
    )
