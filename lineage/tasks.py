"""Celery entry points of lineage."""

from celery import shared_task
from django.conf import settings

from controlplane.kernel import clock
from lineage import services


@shared_task(acks_late=True, ignore_result=True)
def project_events() -> None:
    """Bring pending events into the graph, a bounded number of batches."""
    for _ in range(50):
        if not services.project_pending(now=clock.now()):
            return


@shared_task(acks_late=True, ignore_result=True)
def sync_with_registry() -> None:
    """Declare what the registry holds."""
    services.sync_registry(now=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def sweep() -> None:
    """Drop what is past its retention."""
    services.sweep_events(now=clock.now(), retention=settings.FRESHLINE_LINEAGE_RETENTION)
