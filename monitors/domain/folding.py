"""One page per cause: which breach notifies, and which only joins.

Depth is one: a root has no parent, a child has no children, so nothing can fold into itself. Only roots
notify. Everything here is a function of what is open and what explains it, in whatever order it came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitors.domain.incidents import Family

SHORTEST_GRACE = timedelta(minutes=2)


class CauseKind(StrEnum):
    """What can be the matter upstream."""

    FAILED_RUN = "failed_run"
    HOLLOW_RUN = "hollow_run"
    LATE_RUN = "late_run"
    STOPPED_SOURCE = "stopped_source"
    STORE = "store"
    WORKER = "worker"
    SCHEMA = "schema"
    VALIDITY = "validity"


class Confidence(StrEnum):
    """Low (one timestamp speaks for it) is shown, never folded."""

    HIGH = "high"
    LOW = "low"


_ABSENT = frozenset(
    {
        CauseKind.FAILED_RUN,
        CauseKind.HOLLOW_RUN,
        CauseKind.LATE_RUN,
        CauseKind.STOPPED_SOURCE,
        CauseKind.STORE,
        CauseKind.WORKER,
    }
)
EXPLAINED_BY: Mapping[Family, frozenset[CauseKind]] = {
    Family.FRESHNESS: _ABSENT,
    Family.PRESENCE: _ABSENT,
    Family.VALIDITY: frozenset({CauseKind.SCHEMA, CauseKind.VALIDITY}),
    Family.META: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """A lineage node that has been bad since ``since``; ``hops``: how far upstream of the breach it is.

    ``path``: the nodes from the cause to the view, both included, as the edges stood then.
    """

    node: str
    kind: CauseKind
    run: str | None
    reason: str
    confidence: Confidence
    since: datetime
    hops: int
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An open incident as far as folding cares. ``parent`` is None for a root."""

    number: int
    family: Family
    cause_node: str | None
    parent: int | None
    notified: bool


@dataclass(frozen=True, slots=True)
class Fold:
    """Where a breach goes: under ``parent``, or to a root of its own (None), shown with ``cause``."""

    parent: int | None
    cause: Cause | None
    others: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """Two roots with one cause: ``younger`` becomes a child of ``elder``."""

    younger: int
    elder: int


def explains(cause: Cause, *, family: Family) -> bool:
    """Whether ``cause`` is of a kind that can make a breach of ``family``.

    That live edges lead from it to the view, and that it was bad first and gave nothing good since, is
    lineage's to say: ``cause`` comes from there.
    """
    return cause.kind in EXPLAINED_BY[family]


def choose(causes: Iterable[Cause], *, family: Family) -> tuple[Cause | None, tuple[Cause, ...]]:
    """Return the cause (most upstream, then earliest, then by name) and the other candidates in order.

    One that is sure beats one that is not, however far upstream that lies.
    """
    fitting = sorted(
        (cause for cause in causes if explains(cause, family=family)),
        key=lambda cause: (cause.confidence is Confidence.LOW, -cause.hops, cause.since, cause.node),
    )
    return (fitting[0], tuple(fitting[1:])) if fitting else (None, ())


def fold(cause: Cause | None, others: tuple[Cause, ...], open_incidents: Iterable[OpenIncident]) -> Fold:
    """Return where a new breach goes among what is open in its project."""
    if cause is None or cause.confidence is Confidence.LOW:
        return Fold(None, cause, others)
    roots = [one for one in open_incidents if one.parent is None and one.cause_node == cause.node]
    return Fold(min((root.number for root in roots), default=None), cause, others)


def merges(open_incidents: Iterable[OpenIncident]) -> tuple[Merge, ...]:
    """Return the roots that turned out to share a cause; the eldest of those that were notified stays."""
    by_cause: dict[str, list[OpenIncident]] = {}
    for one in open_incidents:
        if one.parent is None and one.cause_node is not None:
            by_cause.setdefault(one.cause_node, []).append(one)
    found: list[Merge] = []
    for roots in by_cause.values():
        elder, *younger = sorted(roots, key=lambda one: (not one.notified, one.number))
        found.extend(Merge(one.number, elder.number) for one in younger)
    return tuple(sorted(found, key=lambda merge: merge.younger))


def grace_of(interval: timedelta) -> timedelta:
    """Return how long a child whose parent ended waits for another cause before it pages itself."""
    return max(SHORTEST_GRACE, 2 * interval)
