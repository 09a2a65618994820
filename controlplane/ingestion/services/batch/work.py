"""What the steps of one batch run share, and how they show that they are alive."""

from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

from controlplane.contracts.model import BatchLane
from controlplane.ingestion.domain.packing import Packer
from controlplane.ingestion.domain.runs import Phase
from controlplane.ingestion.manifests import Folders
from controlplane.ingestion.models import IngestionRun, LaneState
from controlplane.ingestion.services.runs import Claim, tell_progress
from controlplane.kernel import clock
from controlplane.registry.domain.records import ViewRecord
from store_adapters import Lane, Layout, Store

# How often lineage hears that a long run is alive.
TELL_SECONDS = 60.0


class Cancelled(Exception):
    """Somebody asked the run to stop."""


@dataclass(slots=True)
class Work:
    """A claimed batch run with everything that its steps need. ``run`` is as it was when it was claimed."""

    run: IngestionRun
    claim: Claim
    record: ViewRecord
    lane: BatchLane
    state: LaneState
    store: Store
    seconds: dict[str, float] = field(default_factory=dict)
    beaten_at: float = 0.0
    told_at: float = field(default_factory=monotonic)

    @property
    def folders(self) -> Folders:
        return Folders(self.record.id)

    @property
    def name(self) -> str:
        """What the run's own files are called: another holder of the same run has other files."""
        return f"{self.run.run_number}-{self.claim.fence}"

    @property
    def run_number(self) -> int:
        assert self.run.run_number is not None  # set by the claim
        return self.run.run_number

    def packer(self, layout: Layout) -> Packer:
        return Packer(Lane.BATCH, layout, self.run_number, self.record.view.expire_after)

    def beat(self, **fields: Any) -> None:
        """Renew the lease, and say how far the run is. Raises ``Cancelled`` or ``LostLease``."""
        self.claim.renew(now=clock.now(), **fields)
        self.beaten_at = monotonic()
        if IngestionRun.objects.filter(pk=self.run.pk, is_cancelled=True).exists():
            raise Cancelled
        if self.beaten_at - self.told_at > TELL_SECONDS:
            tell_progress(self.claim, now=clock.now())
            self.told_at = self.beaten_at

    def beat_if_due(self) -> None:
        """Renew the lease at a third of its length."""
        if monotonic() - self.beaten_at > (self.claim.lease / 3) / timedelta(seconds=1):
            self.beat()

    def enter(self, phase: Phase, **fields: Any) -> None:
        """Say which step begins."""
        self.run.phase = phase
        self.beat(phase=phase, **fields)
