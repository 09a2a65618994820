"""Remember which bundle each serving process runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.registry.models import ServingAcknowledgement

KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a serving process says of itself."""

    instance: str
    digest: str
    number: int
    loaded_at: datetime
    build: str = ""
    refused_digest: str = ""
    refused_reason: str = ""


def record_acknowledgement(said: Acknowledgement, *, now: datetime) -> None:
    """Keep what ``said.instance`` said last."""
    ServingAcknowledgement.objects.update_or_create(
        instance=said.instance,
        defaults={
            "digest": said.digest,
            "number": said.number,
            "loaded_at": said.loaded_at,
            "build": said.build,
            "refused_digest": said.refused_digest,
            "refused_reason": said.refused_reason,
            "heard_at": now,
        },
    )


def sweep_acknowledgements(*, now: datetime) -> int:
    """Forget processes that were not heard of for a day; returns how many. Every start is a new name."""
    return ServingAcknowledgement.objects.filter(heard_at__lt=now - KEPT).delete()[0]
