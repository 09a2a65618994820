"""What owners do to monitors: add, edit, pause, delete, run at once."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from controlplane.accounts.services import audit
from controlplane.kernel.errors import Conflict, NotFound, Refused
from controlplane.registry import selectors as registry
from monitors.domain.kinds import Kind, resolve
from monitors.domain.states import restarted
from monitors.models import Monitor, ViewWatch
from monitors.selectors.stored import fields_of, state_of
from monitors.services import closing
from monitors.services.locks import lock_project
from monitors.services.watching import set_probe_interval


def find(monitor_id: int) -> Monitor:
    """Return a monitor; ``NotFound`` when there is none."""
    row = Monitor.objects.select_related("watch").filter(pk=monitor_id).first()
    if row is None:
        raise NotFound("not_found", f"There is no monitor {monitor_id}, or you may not know of it.")
    return row


@transaction.atomic
def create_monitor(
    *,
    project: str,
    view: str,
    kind: str,
    config: Mapping[str, object],
    service: str = "",
    paused: bool = False,
    actor: str,
    now: datetime,
    address: str = "",
) -> Monitor:
    """Add a monitor; ``Conflict`` where the view has one of that kind (and lane, and service) already."""
    watch = ViewWatch.objects.filter(project=project, view=view).first()
    if watch is None:
        raise NotFound("not_found", f"There is no feature view {view!r} in project {project!r} yet.")
    if kind not in set(Kind):
        raise Refused("bad_value", f"kind is {kind!r}: write one of {', '.join(Kind)}")
    resolve(Kind(kind), config, interval=settings.FRESHLINE_MONITOR_INTERVAL)
    if service:
        registry.find_service(project, service)
    try:
        with transaction.atomic():
            row = Monitor.objects.create(
                watch=watch,
                project=project,
                view=view,
                service=service,
                kind=kind,
                lane=str(config.get("lane", "")),
                config=dict(config),
                paused=paused,
                created_at=now,
                due_at=now,
            )
    except IntegrityError as twin:
        raise Conflict("conflict", f"{project}/{view} has a {kind} monitor already: edit that one") from twin
    set_probe_interval(watch, registry.find_view(project, view))
    _audit(row, "create", None, actor=actor, now=now, address=address)
    return row


@transaction.atomic
def edit_monitor(
    monitor_id: int,
    *,
    config: Mapping[str, object] | None,
    paused: bool | None,
    actor: str,
    now: datetime,
    address: str = "",
) -> Monitor:
    """Change a monitor. Another limit begins what was pending anew and resolves nothing."""
    row = find(monitor_id)
    before = _document(row)
    fields: dict[str, object] = {}
    if config is not None and dict(config) != row.config:
        resolve(Kind(row.kind), config, interval=settings.FRESHLINE_MONITOR_INTERVAL)
        # What a person set is a person's: it no longer follows the contract.
        fields |= {"config": dict(config), "managed": False, **fields_of(restarted(state_of(row)))}
    if paused is not None:
        fields |= {"paused": paused}
    Monitor.objects.filter(pk=row.pk).update(due_at=now, **fields)
    row.refresh_from_db()
    set_probe_interval(row.watch, registry.find_view(row.project, row.view))
    _audit(row, "edit", before, actor=actor, now=now, address=address)
    return row


@transaction.atomic
def delete_monitor(monitor_id: int, *, actor: str, now: datetime, address: str = "") -> None:
    """Delete a monitor; an incident that it alone held open closes."""
    row = find(monitor_id)
    lock_project(row.project)
    _audit(row, "delete", _document(row), actor=actor, now=now, address=address)
    Monitor.objects.filter(pk=row.pk).delete()
    closing.close_orphans(row.project, "its monitor was deleted", now=now)


def run_monitor(monitor_id: int, *, now: datetime) -> Monitor:
    """Make a monitor, and the probe that it may read, due now."""
    row = find(monitor_id)
    Monitor.objects.filter(pk=row.pk).update(due_at=now)
    ViewWatch.objects.filter(pk=row.watch_id).update(probe_due_at=now)
    return row


def _document(row: Monitor) -> dict[str, object]:
    return {"kind": row.kind, "view": row.view, "config": row.config, "paused": row.paused}


def _audit(
    row: Monitor, action: str, before: dict[str, object] | None, *, actor: str, now: datetime, address: str
) -> None:
    audit.record(
        actor=actor,
        project=row.project,
        action=action,
        object_kind="monitor",
        object_name=f"{row.view}.{row.kind}",
        before=before,
        after=None if action == "delete" else _document(row),
        now=now,
        address=address,
    )
