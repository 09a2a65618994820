"""Draining a stream lane for a bounded time, under the lease of its run."""

import random
from datetime import timedelta
from time import monotonic

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction

from controlplane.ingestion.domain.backoff import retry_delay
from controlplane.ingestion.domain.runs import LostLease, RunError, RunState
from controlplane.ingestion.domain.streaming import ROLL_AFTER, PartitionState, is_rest_told, stream_reading
from controlplane.ingestion.domain.watermarks import max_idle_us
from controlplane.ingestion.models import IngestionRun, LaneState
from controlplane.ingestion.services.describing import describe_run
from controlplane.ingestion.services.lanes import ensure_lane, move_watermark, publish_watermark
from controlplane.ingestion.services.runs import (
    Claim,
    claim_run,
    fail_run,
    move_run,
    queue_run,
    retry_later,
    tell_progress,
)
from controlplane.ingestion.services.store import online_store
from controlplane.ingestion.services.stream.drain import STREAM_LAG, STREAM_LAG_SECONDS, Drain, consume
from controlplane.ingestion.services.stream.opening import identity_of, open_stream
from controlplane.ingestion.sources.stream import Chunk, Cursor, Gap, StreamSource
from controlplane.kernel import clock
from controlplane.kernel.errors import FreshlineError, NotFound, Unavailable
from controlplane.registry import selectors as registry
from controlplane.registry.domain.records import ViewRecord
from store_adapters import Lane

BATCH_EVENTS = 500
DRAIN_SECONDS = 5.0
# The store takes at most one watermark a second for each field.
_PUBLISH_EVERY_US = 1_000_000
_log = structlog.get_logger(__name__)


def drain_stream(project: str, view: str, *, worker: str) -> None:
    """Claim the view's stream lane and consume it for a while. Nothing happens when somebody else has it."""
    try:
        record = registry.find_view(project, view)
    except NotFound:
        return
    if record.view.stream is None or record.paused or record.awaits_purge:
        return
    now = clock.now()
    state = ensure_lane(record, Lane.STREAM, store=online_store(record.store), now=now)
    claim = _claim(record, state, worker=worker)
    if claim is None:
        return
    run = IngestionRun.objects.get(pk=claim.run_id)
    try:
        _proceed(run, claim, record, state)
    except LostLease:
        _log.info("run_taken_over", run=run.pk, worker=worker)
    except Gap as gap:
        _stand(run, claim, state, str(gap))
    except Unavailable as wrong:
        _try_again(run, claim, RunError(wrong.code, wrong.detail))
    except FreshlineError as wrong:
        _fail(claim, RunError(wrong.code, wrong.detail))
    except DatabaseError:
        raise  # the lease ends by itself, and another worker goes on
    except Exception as wrong:  # noqa: BLE001 - the outermost loop of a run: nothing may leave it unexplained
        _log.exception("run_broke", run=run.pk)
        _try_again(run, claim, RunError("internal", f"{type(wrong).__name__}: {str(wrong)[:300]}"))


def _claim(record: ViewRecord, state: LaneState, *, worker: str) -> Claim | None:
    """Take over the unfinished run of the lane, or begin the next one, unless the lane stands at a gap."""
    now = clock.now()
    unfinished = IngestionRun.objects.filter(
        view_id=record.id, lane=Lane.STREAM, state__in=[RunState.QUEUED, RunState.RUNNING]
    )
    run = unfinished.order_by("pk").first()
    if run is None:
        if state.gap:
            return None
        run = queue_run(record, Lane.STREAM, now=now, requested_by="stream")
    return claim_run(run.pk, worker=worker, now=now, lease=settings.FRESHLINE_LEASE)


def _proceed(run: IngestionRun, claim: Claim, record: ViewRecord, state: LaneState) -> None:
    assert record.view.stream is not None
    if run.is_cancelled:
        move_run(claim, RunState.ABORTED, now=clock.now())
        return
    _begin(run, claim, record, state)
    source = registry.find_source(record.project, record.view.stream.source)
    drain = Drain(run, claim, record, record.view.stream, source, state, online_store(record.store))
    stream = open_stream(source, view_id=record.id)
    partitions = [_drain_partition(drain, stream, name) for name in stream.partitions()]
    _move_watermark(drain, partitions)
    _tell_of_rest(drain, partitions)
    now = clock.now()
    if run.started_at is not None and now - run.started_at >= ROLL_AFTER:
        state.refresh_from_db()
        move_run(claim, RunState.SUCCEEDED, now=now, watermark_after_us=state.watermark_us)
    else:
        # The lease is given back: whoever wakes next goes on, without waiting for it to run out.
        claim.update(lease_until=now - timedelta(microseconds=1), attempt=0)


def _begin(run: IngestionRun, claim: Claim, record: ViewRecord, state: LaneState) -> None:
    if run.contract_number == record.contract_number and run.generation == state.generation:
        return
    claim.renew(
        now=clock.now(),
        generation=state.generation,
        contract_number=record.contract_number,
        layout_number=record.layout.number,
        watermark_before_us=state.watermark_us if run.contract_number == 0 else run.watermark_before_us,
        dataset=describe_run(record, Lane.STREAM),
    )
    run.generation = state.generation


def _drain_partition(drain: Drain, stream: StreamSource, partition: str) -> PartitionState:
    """Consume until the end or until the time is up; returns where it stands."""
    reader, identity = drain.reader(), identity_of(drain.source)
    cursor = _cursor_of(drain.state, partition, identity)
    deadline = monotonic() + DRAIN_SECONDS
    skip_gap = drain.run.skips_gap
    consumed_us: int | None = None
    while True:
        chunk = stream.read(partition, cursor, limit=BATCH_EVENTS, skip_gap=skip_gap)
        if chunk.events or chunk.cursor != cursor:
            consume(drain, reader, partition, chunk, identity=identity)
            stream.acknowledge(partition, chunk.cursor)
        if skip_gap:
            _gap_is_skipped(drain)
            skip_gap = False
        cursor = chunk.cursor
        consumed_us = chunk.consumed_us if chunk.consumed_us is not None else consumed_us
        # Half a line at the end of a file is neither the end nor anything to read.
        if chunk.is_at_end or not chunk.events or monotonic() > deadline:
            _show_lag(drain, chunk, consumed_us)
            return PartitionState(chunk.is_at_end, chunk.read_us, consumed_us, chunk.newest_arrival_us)


def _cursor_of(state: LaneState, partition: str, identity: str) -> Cursor | None:
    kept = state.cursors.get(partition)
    if kept is None or kept.get("of") != identity:
        return None
    return {name: value for name, value in kept.items() if name != "of"}


def _gap_is_skipped(drain: Drain) -> None:
    with transaction.atomic():
        drain.claim.update(skips_gap=False)
        LaneState.objects.filter(pk=drain.state.pk).update(gap="")


def _move_watermark(drain: Drain, partitions: list[PartitionState]) -> None:
    idle = max_idle_us(drain.source, strictest_warn_after=drain.record.strictest_warn_after)
    reading = stream_reading(drain.source.name, partitions, max_idle_us=idle)
    provable = None if reading is None else reading.proves_us
    drain.state.refresh_from_db()
    known = drain.state.watermark_us
    if provable is None or (known is not None and provable - known < _PUBLISH_EVERY_US):
        return
    with transaction.atomic():
        drain.claim.renew(now=clock.now(), watermark_after_us=max(provable, known or provable))
        move_watermark(drain.state.pk, generation=drain.run.generation, provable_us=provable)
    drain.state.refresh_from_db()
    if drain.state.generation == drain.run.generation:  # else it is another's, perhaps of another store
        publish_watermark(drain.state, store=drain.store)


def _tell_of_rest(drain: Drain, partitions: list[PartitionState]) -> None:
    """Tell lineage that the source was read to its end and has nothing newer: a run takes minutes to end."""
    watermark_us = drain.state.watermark_us
    if watermark_us is None or not all(state.is_at_end for state in partitions):
        return
    looked_us = min(state.read_us for state in partitions)
    told_us = max(0, (drain.run.looked_us or 0) - watermark_us)
    if is_rest_told(rested_us=looked_us - watermark_us, told_us=told_us):
        tell_progress(drain.claim, now=clock.now(), looked_us=looked_us, watermark_after_us=watermark_us)


def _show_lag(drain: Drain, chunk: Chunk, consumed_us: int | None) -> None:
    labels = (drain.record.project, drain.record.name)
    STREAM_LAG.labels(*labels).set(chunk.lag)
    behind_us = 0 if chunk.is_at_end or consumed_us is None else chunk.read_us - consumed_us
    STREAM_LAG_SECONDS.labels(*labels).set(max(0, behind_us) / 1_000_000)


def _stand(run: IngestionRun, claim: Claim, state: LaneState, gap: str) -> None:
    """Fail at a gap and stand there, watermark and cursor unmoved, until somebody says skip_gap."""
    try:
        with transaction.atomic():
            fail_run(claim, RunError("stream_gap", gap), now=clock.now())
            LaneState.objects.filter(pk=state.pk).update(gap=gap[:300])
    except LostLease:
        _log.info("run_taken_over", run=run.pk)


def _try_again(run: IngestionRun, claim: Claim, error: RunError) -> None:
    delay = retry_delay(run.attempt + 1, jitter=random.random())  # noqa: S311 - spreads retries
    if delay is None:
        _fail(claim, error)
        return
    now = clock.now()
    try:
        retry_later(claim, error, due_at=now + delay, now=now)
    except LostLease:
        _log.info("run_taken_over", run=run.pk)


def _fail(claim: Claim, error: RunError) -> None:
    try:
        fail_run(claim, error, now=clock.now())
    except LostLease:
        _log.info("run_taken_over", run=claim.run_id)
