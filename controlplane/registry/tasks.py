"""What Celery wakes."""

from celery import shared_task

from controlplane.kernel import clock
from controlplane.registry.services.acknowledgements import sweep_acknowledgements
from controlplane.registry.services.bundles import refresh_bundle


@shared_task
def refresh() -> None:
    """Publish changes of lookup tokens; every two seconds."""
    refresh_bundle(now=clock.now())


@shared_task
def sweep() -> None:
    """Forget serving processes that are gone."""
    sweep_acknowledgements(now=clock.now())
