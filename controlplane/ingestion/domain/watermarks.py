"""How far a lane's watermark may move (contract.md: as-of). It proves the copy, never more than the source."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from controlplane.contracts.model import Source, SourceKind, Unlimited
from controlplane.kernel import durations

# Clocks differ a little; what claims to be from later than this is no evidence.
FUTURE_TOLERANCE_US = 5_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source showed when it was read; microseconds since 1970.

    ``progress_us`` is its newest event time, file change, commit or arrival: None when it shows none.
    ``max_idle_us`` is how long it may rest; None is unlimited.
    """

    source: str
    read_start_us: int
    progress_us: int | None
    max_idle_us: int | None

    @property
    def proves_us(self) -> int | None:
        """Until when this reading proves the copy; None when it proves nothing."""
        if self.progress_us is None:
            return None
        if self.max_idle_us is None:
            return self.read_start_us
        return min(self.read_start_us, self.progress_us + self.max_idle_us)


def provable_us(readings: Iterable[Reading], *, rows_read: int) -> int | None:
    """Return the watermark that a run which read ``rows_read`` rows may set: the minimum over its sources.

    None: it proves nothing and leaves the watermark where it is.
    """
    if rows_read == 0:
        return None
    proofs = [reading.proves_us for reading in readings]
    if not proofs or any(proof is None for proof in proofs):
        return None
    return min(proof for proof in proofs if proof is not None)


def advance(before_us: int | None, provable: int | None) -> int | None:
    """Return the watermark after a run: it never moves back within a generation."""
    known = [us for us in (before_us, provable) if us is not None]
    return max(known, default=None)


def max_idle_us(source: Source, *, strictest_warn_after: timedelta) -> int | None:
    """Return how long ``source`` may rest; None is unlimited.

    Undeclared: nothing with an event time, without limit without one, and for a stream the time after which
    its strictest reader wants to hear.
    """
    declared: timedelta | Unlimited | None = source.max_idle
    if declared == "unlimited":
        return None
    if isinstance(declared, timedelta):
        return durations.to_us(declared)
    if source.kind is SourceKind.STREAM:
        return durations.to_us(strictest_warn_after)
    return 0 if source.event_time else None


def heartbeat_us(as_of_by_writer: Iterable[int], *, now_us: int) -> int | None:
    """Return the direct lane's watermark: the least of its writers', never beyond now + 5 s."""
    least = min(as_of_by_writer, default=None)
    return None if least is None else min(least, now_us + FUTURE_TOLERANCE_US)
