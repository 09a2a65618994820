"""Probes: a sample of a view's known keys, read back from the store and judged as serving would."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import F, Q

from controlplane.contracts import ages
from controlplane.contracts.verdicts import Fetched, Judgement, Lost, RowVerdict, StoredRow, Verdict, judge
from controlplane.ingestion.services.store import Stores
from controlplane.kernel import clock
from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import NotFound, Unavailable
from controlplane.observations.selectors import ProbeResult
from controlplane.observations.services.probes import record_probe
from controlplane.registry import selectors as registry
from controlplane.registry.selectors import ViewRecord
from monitors.domain.kinds import KINDS
from monitors.domain.states import SHORTEST_WAIT
from monitors.models import Monitor, ViewWatch
from monitors.services.beats import beat
from monitors.services.known_keys import Memory, known_keys, memory_of, remember
from store_adapters import CorruptRow, Layout, Store, decode_header, decode_row

LEASE = timedelta(seconds=30)
BAD = frozenset({Verdict.INVALID, Verdict.UNAVAILABLE})
PROBE_KINDS = [kind.value for kind, spec in KINDS.items() if spec.reads_probe]
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Look:
    """A probe, how it judged each feature's values, the lanes' watermarks, what the next one starts from.

    ``no_keys``: why the store gave no key to look at, where that is its way; else empty.
    """

    result: ProbeResult
    verdicts: dict[str, Counter[str]]
    watermarks: dict[str, int]
    memory: Memory
    no_keys: str = ""


def run_probes(
    *, now: datetime, stores: Stores, limit: int = 20, stopwatch: Callable[[], float] = monotonic
) -> int:
    """Probe the views that are due; returns how many.

    Each probe is of the moment when it is made: ``now`` and the seconds, by ``stopwatch``, since then.
    """
    beat("probe", now=now)
    free = Q(probe_lease_until=None) | Q(probe_lease_until__lt=now)
    due = ViewWatch.objects.filter(free, probe_due_at__lte=now, paused=False).order_by("probe_due_at")
    probed, started = 0, stopwatch()
    for watch in list(due[:limit]):
        at = now + timedelta(seconds=stopwatch() - started)
        mine = ViewWatch.objects.filter(free, pk=watch.pk, probe_fence=watch.probe_fence)
        if not mine.update(probe_lease_until=at + LEASE, probe_fence=F("probe_fence") + 1):
            continue
        watch.probe_fence += 1
        _probe_watch(watch, stores, now=at)
        probed += 1
    return probed


def _probe_watch(watch: ViewWatch, stores: Stores, *, now: datetime) -> None:
    try:
        record = registry.find_view(watch.project, watch.view)
    except NotFound:  # retired meanwhile; the next sync forgets it
        return
    look = look_at(record, stores, memory=memory_of(watch), now=now)
    _keep(watch, record, look, now=now)


def look_at(record: ViewRecord, stores: Stores, *, memory: Memory, now: datetime) -> Look:
    """Return what a sample of the view's known keys looks like at ``now``."""
    started = monotonic()
    try:
        store = stores(record.store)
        # Before the rows, as serving does: a watermark read later would vouch for rows not yet there.
        marks = store.read_watermarks(record.project)
        keys, cursor = known_keys(record, store, memory)
        rows = store.read_rows(record.project, record.name, keys, layout=record.layout)
        fetched = [None if data is None else _decode_one(record, store, data) for data in rows]
    except Unavailable as wrong:
        nothing = _result(record, now=now, error=wrong.detail)
        return Look(nothing, {}, {}, memory)
    latency = int(1_000_000 * (monotonic() - started))
    watermarks = {lane.value: mark.us for (view, lane), mark in marks.items() if view == record.name}
    # A key that was deleted is not expected any more.
    expected = [row for row in fetched if not (isinstance(row, StoredRow) and row.tombstone)]
    judgement = _judge(record, expected, watermarks, now=now)
    result = _summarise(record, expected, judgement, now=now, latency_us=latency)
    memory = remember(record, keys, fetched, cursor)
    return Look(result, _verdicts(judgement), watermarks, memory, no_keys="" if keys else store.hides_keys)


def _decode_one(record: ViewRecord, store: Store, data: bytes) -> Fetched:
    try:
        number = decode_header(data).layout_number
        layout = record.layouts.get(number) or store.read_layout(record.project, record.name, number)
        if layout is None:
            return Lost.CORRUPT
        row = decode_row(data, layout)
    except CorruptRow:
        return Lost.CORRUPT
    return StoredRow(
        event_time_us=row.event_time_us,
        write_time_us=row.write_time_us,
        lane=row.lane.value,
        columns=_columns(layout),
        values={column.name: value for column, value in zip(layout.columns, row.values, strict=True)},
        held=row.held,
        tombstone=row.tombstone,
    )


def _columns(layout: Layout) -> dict[str, Dtype]:
    return {column.name: column.dtype for column in layout.columns}


def _judge(
    record: ViewRecord, fetched: Sequence[Fetched], watermarks: dict[str, int], *, now: datetime
) -> Judgement:
    features = {feature.name: feature for feature in record.view.features}
    return judge(
        fetched,
        features=features,
        requested=list(features),
        terms=record.view.terms,
        watermarks=watermarks,
        now_us=clock.to_us(now),
        enforcement=record.view.enforcement,
    )


def _verdicts(judgement: Judgement) -> dict[str, Counter[str]]:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in judgement.rows:
        for value in row.features:
            counted[value.name][value.verdict.value] += 1
    return dict(counted)


def _summarise(
    record: ViewRecord,
    fetched: Sequence[Fetched],
    judgement: Judgement,
    *,
    now: datetime,
    latency_us: int,
) -> ProbeResult:
    judged = list(zip(judgement.rows, fetched, strict=True))
    present = [row for row, read in judged if read is not None]
    invalid = sum(_is_invalid(row) for row in present)
    # A row that cannot be read has no age; one whose evidence is all gone is older than any.
    readable = [row for row, read in judged if isinstance(read, StoredRow)]
    rising = sorted(math.inf if row.age_us is None else row.age_us for row in readable)
    terms = record.view.terms
    return ProbeResult(
        project=record.project,
        view=record.name,
        at=now,
        keys_known=len(fetched),
        keys_read=len(fetched),
        found=len(present) - invalid,
        missing=len(fetched) - len(present),
        invalid=invalid,
        age_p50=_percentile(rising, 0.5),
        age_p95=_percentile(rising, 0.95),
        age_max=_percentile(rising, 1.0),
        stale_share=_share_over(rising, terms.max_age),
        late_share=_share_over(rising, terms.warn_after or terms.max_age),
        store_latency_us=latency_us,
    )


def _is_invalid(row: RowVerdict) -> bool:
    return any(value.verdict in BAD or value.also_invalid for value in row.features)


def _percentile(rising: Sequence[float], share: float) -> timedelta | None:
    if not rising:
        return None
    found = rising[max(0, math.ceil(share * len(rising)) - 1)]
    return None if math.isinf(found) else timedelta(microseconds=found)


def _share_over(rising: Sequence[float], limit: timedelta) -> float | None:
    limit_us = limit // _MICROSECOND
    stale = sum(math.isinf(age) or ages.is_stale(int(age), max_age_us=limit_us) for age in rising)
    return stale / len(rising) if rising else None


def _result(record: ViewRecord, *, now: datetime, error: str) -> ProbeResult:
    return ProbeResult(record.project, record.name, now, 0, 0, 0, 0, 0, error=error)


@transaction.atomic
def _keep(watch: ViewWatch, record: ViewRecord, look: Look, *, now: datetime) -> None:
    """Keep the probe if the lease still holds, and wake the monitors that read it."""
    written = watch.written_at or (now if look.result.keys_read else None)
    kept = ViewWatch.objects.filter(pk=watch.pk, probe_fence=watch.probe_fence).update(
        probe_lease_until=None,
        probe_due_at=_next_probe(watch, record, look.result, now=now),
        probe_cursor=look.memory.cursor,
        remembered_keys=[key.hex() for key in look.memory.keys],
        probed_at=now,
        written_at=written,
        **({} if look.result.error else {"watermarks": look.watermarks, "no_keys": look.no_keys}),
    )
    if kept:
        record_probe(look.result, verdicts=look.verdicts)
        Monitor.objects.filter(watch=watch, kind__in=PROBE_KINDS, paused=False).update(due_at=now)


def _next_probe(watch: ViewWatch, record: ViewRecord, result: ProbeResult, *, now: datetime) -> datetime:
    """Return when to look again: at the interval, or just after the age would cross a limit by itself."""
    moments = [now + watch.probe_interval_us * _MICROSECOND]
    if result.age_p95 is not None:
        terms = record.view.terms
        limits = [limit for limit in (terms.warn_after, terms.max_age) if limit and limit >= result.age_p95]
        moments += [now + limit - result.age_p95 + _MICROSECOND for limit in limits]
    return max(min(moments), now + SHORTEST_WAIT)
