"""Which upstream node explains that a view went bad (monitors.md: one page per cause).

A node C explains a freshness or presence breach of V when a path of live edges leads from C to V, C is bad
now, C has been bad since before the breach, and C gave nothing good that V has not already read. The most
upstream wins, then the earliest, then the smallest name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lineage.domain.merging import BAD, GOOD

_BATCH, _DIRECT = "batch", "direct"


class CauseKind(StrEnum):
    """What is wrong with the cause; an incident's kind is the same word."""

    FAILED_RUN = "failed_run"
    HOLLOW_RUN = "hollow_run"
    LATE_RUN = "late_run"
    STOPPED_SOURCE = "stopped_source"


class Confidence(StrEnum):
    """Low rests on one timestamp: it is shown, and nothing is folded under it."""

    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as far as causes need it. What follows ``error`` is told by our runs only."""

    run_id: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    error: str = ""
    hollow: bool = False
    watermark: datetime | None = None
    lane: str = ""
    told_look_at: datetime | None = None

    @property
    def looked_at(self) -> datetime:
        """When the source was looked at last: a batch looks as it starts, a stream until it ends."""
        if self.lane == _BATCH:
            return self.started_at
        return self.ended_at or self.told_look_at or self.started_at


@dataclass(frozen=True, slots=True)
class Upstream:
    """A node above the view: the way down to the view, and its last runs (newest first)."""

    node_id: str
    is_job: bool
    path: tuple[str, ...]  # from this node to the view, both included
    runs: Sequence[RunRecord] = ()
    state: str = ""  # what monitors say of it now
    state_since: datetime | None = None
    state_detail: str = ""


@dataclass(frozen=True, slots=True)
class Breach:
    """What is to be explained. ``as_of`` is None for a view that was never written."""

    as_of: datetime | None
    bad_since: datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """A node that explains the breach, with its bad run if it has one."""

    node_id: str
    kind: CauseKind
    run_id: str | None
    reason: str
    since: datetime
    confidence: Confidence
    path: tuple[str, ...]

    @property
    def depth(self) -> int:
        return len(self.path) - 1


def rank(causes: Iterable[Cause]) -> list[Cause]:
    """Return the causes, the most upstream first, then the earliest, then by name; sure before unsure."""
    return sorted(causes, key=lambda c: (c.confidence is Confidence.LOW, -c.depth, c.since, c.node_id))


def explain(
    breach: Breach, upstream: Iterable[Upstream], *, own_reads: Mapping[str, datetime]
) -> list[Cause]:
    """Return all that explain ``breach``, ranked.

    ``own_reads`` gives, for each of the view's own jobs, when its last good run began to read: what was good
    before then has reached the view already, however old its event times are.
    """
    reads = [at for at in own_reads.values() if at is not None]
    consumed = max([at for at in (breach.as_of, *reads) if at is not None], default=None)
    found = []
    for node in upstream:
        cause = _failed_run(node, breach, consumed) if node.is_job else _stopped_source(node, breach)
        if cause is not None:
            found.append(cause)
    return rank(found)


def _failed_run(node: Upstream, breach: Breach, consumed: datetime | None) -> Cause | None:
    ended = [run for run in node.runs if run.state in BAD or run.state == GOOD]
    if not ended:
        return _told_by_monitors(node, breach)
    ended.sort(key=lambda run: (run.ended_at or run.started_at, run.run_id))
    last = ended[-1]
    good = [run for run in ended if run.state == GOOD and not run.hollow]
    last_good = good[-1].ended_at if good else None
    if last is (good[-1] if good else None):
        return _told_by_monitors(node, breach)
    if last_good is not None and consumed is not None and last_good > consumed:
        return None  # it gave something good that the view has not read: the trouble lies below it
    first_bad = ended[ended.index(good[-1]) + 1] if good else ended[0]
    kind = CauseKind.HOLLOW_RUN if last.state == GOOD else CauseKind.FAILED_RUN
    # Two timestamps agree when a good run came before: since then nothing good came out of this node.
    sure = first_bad.started_at <= breach.bad_since or last_good is not None
    return Cause(
        node_id=node.node_id,
        kind=kind,
        run_id=last.run_id,
        reason=last.error or ("succeeded without effect" if kind is CauseKind.HOLLOW_RUN else "failed"),
        since=first_bad.ended_at or first_bad.started_at,
        confidence=Confidence.HIGH if sure else Confidence.LOW,
        path=node.path,
    )


def _told_by_monitors(node: Upstream, breach: Breach) -> Cause | None:
    if node.state not in ("late", "missing", "stale") or node.state_since is None:
        return None
    reason = node.state_detail or "did not run when it was due"
    sure = node.state_since <= breach.bad_since
    confidence = Confidence.HIGH if sure else Confidence.LOW
    return Cause(node.node_id, CauseKind.LATE_RUN, None, reason, node.state_since, confidence, node.path)


def _stopped_source(node: Upstream, breach: Breach) -> Cause | None:
    """A dataset that had nothing newer than the view's as-of although one of our own jobs looked, and well.

    A value grows old while its source rests, and while nobody looks at the source: the longer of the two is
    to blame, so that a source is not named when it was our own runs that stopped. Into a direct lane the
    source pushes: there is nothing for us to look at.
    """
    reads = [run for run in node.runs if run.watermark is not None and run.state not in BAD]
    if breach.as_of is None or not reads:
        return None
    last = max(reads, key=lambda run: (run.looked_at, run.run_id))
    assert last.watermark is not None
    if last.watermark > min(breach.as_of, breach.bad_since):
        return None
    source_rested, nobody_looked = last.looked_at - last.watermark, breach.bad_since - last.looked_at
    if last.lane != _DIRECT and source_rested <= nobody_looked:
        return None
    reason = f"no progress since {last.watermark:%Y-%m-%d %H:%M:%S} UTC"
    return Cause(
        node.node_id, CauseKind.STOPPED_SOURCE, None, reason, last.watermark, Confidence.HIGH, node.path
    )
