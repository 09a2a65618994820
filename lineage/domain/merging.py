"""Merges that do not care in which order, or how often, events arrive.

Each is the maximum of a total order, a union, a minimum or a maximum: commutative, associative, idempotent.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from controlplane.kernel.clock import from_us, to_us
from lineage.domain.events import Event, Facets, Rank, RunFacts

# name -> [event time in microseconds, digest of the event, the facet (None: deleted)]
FacetStore = dict[str, list[Any]]
GOOD = "COMPLETE"
BAD = frozenset({"FAIL", "ABORT"})


@dataclass(frozen=True, slots=True)
class RunState:
    """What is known of a run. ``decided_by``: (rank, time us, digest) of the event that set ``state``."""

    state: str = "OTHER"
    decided_by: tuple[int, int, str] = (-1, 0, "")
    first_at: datetime | None = None
    started_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def ended_at(self) -> datetime | None:
        """Event time of the event that ended the run, or None while it runs."""
        rank, at_us, _ = self.decided_by
        return from_us(at_us) if rank == Rank.TERMINAL else None


def merge_facets(kept: FacetStore, facets: Facets, *, at: datetime, digest: str) -> FacetStore:
    """Return ``kept`` with the facets of an event in it: for each name the latest wins, whole."""
    merged = dict(kept)
    for name, facet in facets.items():
        stamp = [to_us(at), digest]
        if name not in merged or merged[name][:2] < stamp:
            merged[name] = [*stamp, facet]
    return merged


def current(kept: FacetStore) -> dict[str, dict[str, Any]]:
    """Return the facets that stand: those not deleted."""
    return {name: facet for name, (_, _, facet) in kept.items() if facet is not None}


def merge_run(kept: RunState, run: RunFacts, event: Event) -> RunState:
    """Return ``kept`` with what one event says of the run."""
    stamp = (int(run.rank), to_us(event.at), event.digest)
    merged = replace(
        kept,
        first_at=_earlier(kept.first_at, event.at),
        started_at=_earlier(kept.started_at, event.at) if run.rank == Rank.START else kept.started_at,
        last_at=_later(kept.last_at, event.at),
    )
    return replace(merged, state=run.state, decided_by=stamp) if stamp > kept.decided_by else merged


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)
