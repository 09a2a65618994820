"""Celery entry points of ingestion. The database holds what is due; a task that is lost costs time only."""

import os
import socket
from contextlib import ExitStack

from celery import shared_task
from django.conf import settings

from controlplane.ingestion.services import lanes, minutes, scheduling, telling, upkeep
from controlplane.ingestion.services.batch.executing import execute_run
from controlplane.ingestion.services.store import online_store
from controlplane.ingestion.services.stream.waking import drain_streams
from controlplane.kernel import clock


@shared_task(acks_late=True, ignore_result=True)
def wake_ingestion() -> None:
    """Queue what schedules want, and execute every run that nobody has."""
    scheduling.queue_scheduled(now=clock.now())
    for run_id in scheduling.due_runs(now=clock.now()):
        execute_run(run_id, worker=_worker())


@shared_task(acks_late=True, ignore_result=True)
def wake_streams() -> None:
    """Drain every stream lane that nobody has."""
    drain_streams(worker=_worker())


@shared_task(acks_late=True, ignore_result=True)
def keep_in_step() -> None:
    """Follow the registry's views, close minutes of direct rows, repeat watermarks that the store missed."""
    now = clock.now()
    minutes.close_minutes(now=now)
    with ExitStack() as steps:  # from the last to the first; one that fails keeps none from its turn
        steps.callback(lanes.publish_watermarks, stores=online_store)
        steps.callback(lanes.sync_lanes, stores=online_store, now=now)
        steps.callback(upkeep.purge_moved, stores=online_store, now=now)


@shared_task(acks_late=True, ignore_result=True)
def tell_lineage() -> None:
    """Send the OpenLineage events that were not taken yet."""
    telling.emit_transitions(now=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def sweep() -> None:
    """Purge retired views, and forget what is past its retention."""
    now = clock.now()
    try:
        upkeep.purge_retired(stores=online_store, now=now)
    finally:  # nor what has expired in the others, and rows that were refused
        upkeep.forget_old(stores=online_store, now=now, refused_kept=settings.FRESHLINE_REFUSED_RETENTION)


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
