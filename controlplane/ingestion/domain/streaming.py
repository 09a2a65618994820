"""How far a stream is consumed, and what that proves (contract.md: as-of; ingestion.md: Stream)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from controlplane.ingestion.domain.watermarks import Reading

# One run is one lease; after this long it ends and the next one begins.
ROLL_AFTER = timedelta(minutes=10)
# A source that rests is told of from here on.
RESTS_US = 10_000_000
MAX_SEQUENCE = (1 << 20) - 1


@dataclass(frozen=True, slots=True)
class PartitionState:
    """A partition after a drain; times are microseconds since 1970 by the broker's clock.

    ``read_us`` is when it was last looked at; what had arrived by ``consumed_us`` is consumed, None: unknown.
    """

    is_at_end: bool
    read_us: int
    consumed_us: int | None
    newest_arrival_us: int | None

    @property
    def complete_us(self) -> int | None:
        """Until when everything that arrived is consumed; an idle partition counts by the broker's time."""
        return self.read_us if self.is_at_end else self.consumed_us


def stream_reading(
    source: str, partitions: Iterable[PartitionState], *, max_idle_us: int | None
) -> Reading | None:
    """Return what a drain of all partitions proves; None when it proves nothing yet."""
    states = list(partitions)
    complete = [state.complete_us for state in states]
    if not states or any(us is None for us in complete):
        return None
    arrivals = [state.newest_arrival_us for state in states if state.newest_arrival_us is not None]
    return Reading(
        source=source,
        read_start_us=min(us for us in complete if us is not None),
        progress_us=max(arrivals, default=None),
        max_idle_us=max_idle_us,
    )


def is_rest_told(*, rested_us: int, told_us: int) -> bool:
    """Whether lineage is told now that a source which was read to its end has rested for so long.

    ``told_us``: how long it had rested when that was told last. Told each time that it has grown by half, the
    last look before any contract is broken lies in the last third of the time since the watermark: near
    enough to say that it was the source that stood still, and not our own runs. And few are told.
    """
    return rested_us >= RESTS_US and 2 * rested_us >= 3 * told_us


def redis_position(milliseconds: int, sequence: int) -> int:
    """Return the order of a Redis Streams id within its stream, in 62 bits."""
    return milliseconds << 20 | min(sequence, MAX_SEQUENCE)
