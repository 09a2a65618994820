"""What Celery wakes."""

from celery import shared_task
from django.conf import settings

from controlplane.kernel import clock
from controlplane.observations.services import retention

_MOST_BATCHES = 100


@shared_task
def sweep() -> None:
    """Forget what is older than it is kept."""
    for _ in range(_MOST_BATCHES):
        if not retention.sweep(now=clock.now(), retention=settings.FRESHLINE_OBSERVATION_RETENTION):
            return
