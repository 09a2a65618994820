"""Which views are watched, and by which monitors: kept in step with the registry."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from controlplane.contracts.model import Action
from controlplane.kernel import durations
from controlplane.registry import selectors as registry
from controlplane.registry.selectors import ViewRecord
from monitors.domain.kinds import KINDS, Kind, interval_for
from monitors.domain.measures import Cron, next_due
from monitors.domain.states import restarted
from monitors.models import Monitor, ViewWatch
from monitors.selectors.stored import config_of, fields_of, state_of
from monitors.services import closing
from monitors.services.locks import lock_project

Key = tuple[str, str, str]  # service, kind, lane
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A monitor that a view gets from its contract."""

    service: str
    kind: Kind
    lane: str
    config: Mapping[str, object]

    @property
    def key(self) -> Key:
        return (self.service, self.kind.value, self.lane)


def sync_views(*, now: datetime) -> int:
    """Watch every live view as its contract says, and nothing else; returns how many changed."""
    known = {(row.project, row.view): row for row in ViewWatch.objects.all()}
    changed = 0
    for record in registry.list_views():
        row = known.pop((record.project, record.name), None)
        if row is None or row.signature != _signature(record) or row.paused != record.paused:
            _sync_view(record, now=now)
            changed += 1
    for row in known.values():
        _forget(row, now=now)
        changed += 1
    return changed


def wanted_monitors(record: ViewRecord) -> list[Wanted]:
    """Return the monitors that a view gets at registration, from its contract and schedule."""
    view = record.view
    # What probes tell cannot be looked at more often than probes are made.
    slowest = max(settings.FRESHLINE_MONITOR_INTERVAL, settings.FRESHLINE_PROBE_INTERVAL)
    every = durations.render(interval_for(record.strictest_max_age, default=slowest))
    age: dict[str, object] = {"limit": durations.render(view.terms.max_age), "interval": every}
    if view.terms.warn_after is not None:
        age["warn"] = durations.render(view.terms.warn_after)
    found = [Wanted("", Kind.SERVED_AGE, "", age)]
    found += [Wanted("", Kind.SOURCE_AGE, lane, age) for lane in view.lanes]
    found += [Wanted("", kind, "", {"interval": every}) for kind in (Kind.COVERAGE, Kind.INVALID_RATE)]
    if view.batch is not None:
        found.append(Wanted("", Kind.HOLLOW_RUN, "batch", {"interval": every}))
        if view.batch.schedule is not None:
            found.append(Wanted("", Kind.SCHEDULE, "batch", {"interval": every}))
    for reader in record.readers:
        own = reader.service.terms.max_age
        # What a consumer demands beyond the view's promise is its owner's to hear of.
        if own is not None and own < view.terms.max_age:
            config = {"limit": durations.render(own), "interval": every}
            found.append(Wanted(reader.name, Kind.SERVED_AGE, "", config))
    return found


@transaction.atomic
def _sync_view(record: ViewRecord, *, now: datetime) -> None:
    lock_project(record.project)
    facts = {
        "owner": record.view.owner or "",
        "tier": record.view.tier.value,
        "runbook": record.view.runbook or "",
        "has_rejecting_service": _rejects(record),
        "signature": _signature(record),
        "paused": record.paused,
        "first_due_by": _first_due_by(record),
        "probe_due_at": now,
    }
    watch, _ = ViewWatch.objects.update_or_create(
        project=record.project,
        view=record.name,
        defaults=facts,
        create_defaults={**facts, "registered_at": record.created_at, "probe_interval_us": 0},
    )
    present: dict[Key, Monitor] = {
        (row.service, row.kind, row.lane): row for row in Monitor.objects.filter(watch=watch)
    }
    for wanted in wanted_monitors(record):
        _sync_monitor(watch, wanted, present.pop(wanted.key, None), now=now)
    set_probe_interval(watch, record)
    gone = [row.pk for row in present.values() if row.managed]
    if gone:
        Monitor.objects.filter(pk__in=gone).delete()
        closing.close_orphans(record.project, "its monitor is gone: the contract changed", now=now)


def set_probe_interval(watch: ViewWatch, record: ViewRecord) -> None:
    """Probe as often as the most eager monitor looks: results further apart than that stop its clocks."""
    intervals = [
        config_of(row).timing.interval
        for row in Monitor.objects.filter(watch=watch)
        if KINDS[Kind(row.kind)].reads_probe
    ]
    intervals.append(interval_for(record.strictest_max_age, default=settings.FRESHLINE_PROBE_INTERVAL))
    watch.probe_interval_us = min(intervals) // _MICROSECOND
    watch.save(update_fields=["probe_interval_us"])


def _sync_monitor(watch: ViewWatch, wanted: Wanted, row: Monitor | None, *, now: datetime) -> None:
    if row is None:
        Monitor.objects.create(
            watch=watch,
            project=watch.project,
            view=watch.view,
            service=wanted.service,
            kind=wanted.kind.value,
            lane=wanted.lane,
            config=dict(wanted.config),
            managed=True,
            created_at=now,
            due_at=now,
        )
    elif row.managed and row.config != dict(wanted.config):
        state = fields_of(restarted(state_of(row)))
        Monitor.objects.filter(pk=row.pk).update(config=dict(wanted.config), due_at=now, **state)


@transaction.atomic
def _forget(row: ViewWatch, *, now: datetime) -> None:
    lock_project(row.project)
    ViewWatch.objects.filter(pk=row.pk).delete()
    closing.close_orphans(row.project, f"view {row.view} was retired", now=now)


def _rejects(record: ViewRecord) -> bool:
    readers = [record.view.terms.under(reader.service.terms) for reader in record.readers]
    return any(Action.REJECT in (terms.on_stale, terms.on_missing, terms.on_invalid) for terms in readers)


def _first_due_by(record: ViewRecord) -> datetime | None:
    batch = record.view.batch
    if batch is None or batch.schedule is None:
        return None
    cron = Cron(batch.schedule, batch.timezone, batch.grace, record.created_at, None, None)
    return next_due(cron, after=record.created_at) + batch.grace


def _signature(record: ViewRecord) -> str:
    """Return a digest of everything that watching takes from the registry."""
    readers = [[reader.name, reader.service.terms.to_document()] for reader in record.readers]
    intervals = [settings.FRESHLINE_MONITOR_INTERVAL, settings.FRESHLINE_PROBE_INTERVAL]
    document = [record.view.to_document(), readers, [str(interval) for interval in intervals]]
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
