"""Celery entry points of monitors. The database holds what is due; these only look sooner than the loops."""

from celery import shared_task

from controlplane.ingestion.services.store import online_store
from controlplane.kernel import clock
from monitors.services import judging, outbox, probing, upkeep


@shared_task(acks_late=True, ignore_result=True)
def judge_due() -> None:
    """Evaluate the monitors that are due."""
    judging.run_due(now=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def probe_due() -> None:
    """Probe the views that are due."""
    probing.run_probes(now=clock.now(), stores=online_store)


@shared_task(acks_late=True, ignore_result=True)
def deliver_due() -> None:
    """Send the notifications that are due."""
    outbox.deliver_due(now=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def keep_in_step() -> None:
    """Watch what the registry holds."""
    upkeep.keep_in_step(now=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def sweep() -> None:
    """Forget what is past its retention."""
    upkeep.sweep(now=clock.now())
