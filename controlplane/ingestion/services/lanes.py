"""What the lanes of views remember, kept in step with the registry; and the watermarks of the store."""

import hashlib
import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim
from django.db import transaction

from controlplane.contracts.model import Source
from controlplane.ingestion.domain import watermarks
from controlplane.ingestion.models import LaneState
from controlplane.ingestion.services.store import Stores, refuse_unpurged
from controlplane.kernel import clock
from controlplane.kernel.errors import NotFound, Unavailable
from controlplane.kernel.names import DEFAULT_STORE
from controlplane.registry import selectors as registry
from controlplane.registry.domain.records import ViewRecord
from store_adapters import Lane, Store, Watermark

_NOTHING_PROVED: dict[str, Any] = {
    "watermark_us": None,
    "newest_event_us": None,
    "newest_moved_at_us": None,
    "is_published": True,
}


def ensure_lane(record: ViewRecord, lane: Lane, *, store: Store, now: datetime) -> LaneState:
    """Return the lane's state, made or brought into step with the definition.

    A changed source, query, progress rule or store raises the generation: what the old one proved, the new
    one does not. The first generation goes on from the store's, which may be older than this control plane.

    ``Unavailable`` while rows of the view from earlier have not left its store.
    """
    refuse_unpurged(record)
    signature = _signature(record, lane)
    state = LaneState.objects.filter(view_id=record.id, lane=lane).first()
    if state is None:
        stored = store.read_watermarks(record.project).get((record.name, lane))
        defaults = {
            "project": record.project,
            "view": record.name,
            "signature": signature,
            "generation": stored.generation + 1 if stored else 1,
        }
        state, _ = LaneState.objects.get_or_create(view_id=record.id, lane=lane, defaults=defaults)
    if state.signature != signature:
        unmoved = LaneState.objects.filter(pk=state.pk, signature=state.signature)
        unmoved.update(
            signature=signature,
            generation=state.generation + 1,
            **_NOTHING_PROVED,
        )
        state.refresh_from_db()
    _follow_schedule(record, state, now=now)
    return state


def sync_lanes(*, stores: Stores, now: datetime) -> None:
    """Bring every lane of every view into step with the registry; lanes that are no more go to rest.

    A lane of a store that does not answer is left for the next time; the others' go on, and then the first
    ``Unavailable`` is raised.
    """
    seen, failures = set(), []
    for record in registry.list_views(None):
        for lane in record.view.lanes:
            if record.awaits_purge:
                seen.update(_known_states(record, lane))
                continue
            try:
                state = ensure_lane(record, Lane(lane), store=stores(record.store), now=now)
            except Unavailable as wrong:
                failures.append(wrong)
                seen.update(_known_states(record, lane))
                continue
            seen.add(state.pk)
    gone = LaneState.objects.filter(is_active=True).exclude(pk__in=seen)
    gone.update(is_active=False, next_due_at=None)
    if failures:
        raise failures[0]


def _known_states(record: ViewRecord, lane: str) -> list[int]:
    return list(LaneState.objects.filter(view_id=record.id, lane=lane).values_list("pk", flat=True))


def next_due(schedule: str, timezone: str, *, after: datetime) -> datetime:
    """Return the first instant of a cron schedule past ``after``, in UTC."""
    local = after.astimezone(ZoneInfo(timezone))
    return next(CronSim(schedule, local)).astimezone(clock.EPOCH.tzinfo)


def publish_watermark(state: LaneState, *, store: Store) -> None:
    """Tell the store the lane's watermark, if it moved. Repeated by the sweeper until it is known there."""
    if state.watermark_us is None:
        return
    told = Watermark(state.generation, state.watermark_us)
    store.write_watermark(state.project, state.view, Lane(state.lane), told)
    same = LaneState.objects.filter(pk=state.pk, generation=state.generation, watermark_us=state.watermark_us)
    same.update(is_published=True)


def publish_watermarks(*, stores: Stores) -> int:
    """Tell every store the watermarks that it may not know yet; returns how many.

    A store that does not answer is asked once, the others hear theirs; then its ``Unavailable`` is raised.
    Of a lane at rest nothing is told: its project may have moved to a store that cannot hold watermarks, or
    that never had the rows. Nor of one whose store has rows from earlier that must leave it first.
    """
    told, failures = 0, dict[str, Unavailable]()
    waiting = registry.views_awaiting_purge()
    names = registry.stores_by_project()
    for state in LaneState.objects.filter(is_published=False, is_active=True):
        name = names.get(state.project, DEFAULT_STORE)
        if name in failures or state.view_id in waiting:
            continue
        try:
            publish_watermark(state, store=stores(name))
        except Unavailable as wrong:
            failures[name] = wrong
        else:
            told += 1
    if failures:
        raise next(iter(failures.values()))
    return told


def restart_lanes(view_id: int, project: str, view: str, *, store: Store | None) -> None:
    """Begin new generations, later than any that the store knows: what the old ones proved is void there.

    Even where the store is the same as before, there and back again. None: one that keeps no watermarks.
    """
    stored = store.read_watermarks(project) if store else {}
    for state in LaneState.objects.filter(view_id=view_id):
        told = stored.get((view, Lane(state.lane)))
        LaneState.objects.filter(pk=state.pk).update(
            generation=max(state.generation, told.generation if told else 0) + 1, **_NOTHING_PROVED
        )


def move_watermark(state_id: int, *, generation: int, provable_us: int | None) -> int | None:
    """Move a lane's watermark, never back and only within ``generation``; inside the caller's transaction.

    Returns the watermark after it.
    """
    state = LaneState.objects.select_for_update().get(pk=state_id)
    if state.generation != generation:
        return state.watermark_us
    after = watermarks.advance(state.watermark_us, provable_us)
    if after != state.watermark_us:
        LaneState.objects.filter(pk=state_id).update(watermark_us=after, is_published=False)
    return after


def reserve_positions(state: LaneState, count: int, *, now: datetime) -> int:
    """Return the first of ``count`` positions of the direct lane: receipt microseconds, made unique."""
    with transaction.atomic():
        locked = LaneState.objects.select_for_update().get(pk=state.pk)
        first = max(locked.sequence + 1, clock.to_us(now))
        LaneState.objects.filter(pk=state.pk).update(sequence=first + count - 1)
    return first


def _follow_schedule(record: ViewRecord, state: LaneState, *, now: datetime) -> None:
    batch = record.view.batch
    cron = batch.schedule if batch and state.lane == Lane.BATCH and batch.schedule else ""
    wanted = f"{cron} {batch.timezone}" if cron and batch else ""
    if record.paused:
        wanted = f"paused {wanted}"
    if state.schedule == wanted and state.is_active:
        return
    due = None
    if state.lane == Lane.STREAM and not record.paused:
        due = now
    elif cron and batch and not record.paused:
        due = next_due(cron, batch.timezone, after=now)
    LaneState.objects.filter(pk=state.pk).update(schedule=wanted, next_due_at=due, is_active=True)
    state.schedule, state.next_due_at, state.is_active = wanted, due, True


def _signature(record: ViewRecord, lane: Lane) -> str:
    view = record.view
    said: dict[str, object] = {"lane": lane.value}
    if record.store != DEFAULT_STORE:  # what was proved of the rows in one store, another does not have
        said["store"] = record.store
    if lane is Lane.BATCH and view.batch:
        said["query"] = view.batch.query
        said["sources"] = [_source_document(record, name) for name in view.batch.sources]
    if lane is Lane.STREAM and view.stream:
        said["sources"] = [_source_document(record, view.stream.source)]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _source_document(record: ViewRecord, name: str) -> dict[str, object]:
    """Return what of a source decides how far it proves; its owner or description do not."""
    try:
        source: Source = registry.find_source(record.project, name)
    except NotFound:
        return {"name": name}
    kept = source.to_document()
    return {key: value for key, value in kept.items() if key not in ("owner", "description", "lineage")}
