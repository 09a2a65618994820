"""Heartbeats: a writer that posts only on change says until when it has posted everything."""

from datetime import datetime

from django.db import transaction

from controlplane.ingestion.domain.watermarks import FUTURE_TOLERANCE_US, heartbeat_us
from controlplane.ingestion.models import Heartbeat, LaneState
from controlplane.ingestion.services.direct import state_of
from controlplane.ingestion.services.lanes import move_watermark, publish_watermark
from controlplane.ingestion.services.store import online_store
from controlplane.kernel import clock
from controlplane.kernel.errors import Refused

MAX_WRITERS = 100


def record_heartbeat(project: str, view: str, *, writer: str, as_of: datetime, now: datetime) -> None:
    """Take a writer's word and move the direct watermark to the least of all writers'."""
    now_us, as_of_us = clock.to_us(now), clock.to_us(as_of)
    if as_of_us > now_us + FUTURE_TOLERANCE_US:
        raise Refused("bad_value", f"as_of {as_of.isoformat()} is more than 5 s ahead of the control plane")
    record, state = state_of(project, view, now=now)
    store = online_store(record.store)
    with transaction.atomic():
        # The lane's row is the lock: two writers at once must both see the other's word.
        LaneState.objects.select_for_update().get(pk=state.pk)
        _keep(record.id, writer, as_of_us, now=now)
        known = Heartbeat.objects.filter(view_id=record.id).values_list("as_of_us", flat=True)
        move_watermark(state.pk, generation=state.generation, provable_us=heartbeat_us(known, now_us=now_us))
    state.refresh_from_db()
    publish_watermark(state, store=store)


def _keep(view_id: int, writer: str, as_of_us: int, *, now: datetime) -> None:
    known = Heartbeat.objects.filter(view_id=view_id, writer=writer).first()
    if known is not None:
        Heartbeat.objects.filter(pk=known.pk).update(as_of_us=max(known.as_of_us, as_of_us), heard_at=now)
        return
    if Heartbeat.objects.filter(view_id=view_id).count() >= MAX_WRITERS:
        raise Refused(
            "bad_value", f"there are {MAX_WRITERS} writers already; a name must not change each time"
        )
    Heartbeat.objects.create(view_id=view_id, writer=writer, as_of_us=as_of_us, heard_at=now)
