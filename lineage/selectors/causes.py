"""Find what explains a bad view: a capped walk upstream over live edges, then domain.causes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lineage.domain import merging, naming
from lineage.domain.causes import Breach, Cause, RunRecord, Upstream, explain
from lineage.domain.drawing import SUFFERING, shortest_path
from lineage.domain.own_runs import read_own_facts
from lineage.models import Node, NodeState, Run
from lineage.selectors import walking

MAX_NODES = 2_000
RUNS_OF_A_JOB = 20
READ_AT_ONCE = 4  # hops; what lies farther is read step by step, since a walk without end reads too much
MAX_REASON = 300


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What lies above a view. ``told``: until when its own runs said that it was right, if they ever did."""

    upstream: Sequence[Upstream] = ()
    reads: Mapping[str, datetime] = field(default_factory=dict)
    told: datetime | None = None


def find_causes(node_id: str, *, as_of: datetime | None, bad_since: datetime) -> list[Cause]:
    """Return what explains that the view ``node_id`` is bad since ``bad_since``, the likeliest first.

    ``as_of``: until when the view's values were known to be right; None when it was never written.
    """
    found = _look_above(node_id)
    return explain(Breach(as_of, bad_since), found.upstream, own_reads=found.reads)


def causes_now(node_id: str) -> list[Cause]:
    """Return what explains how a view is now, the likeliest first; nothing for one that is not bad."""
    state = NodeState.objects.filter(digest=naming.parse_id(node_id).digest, until=None).first()
    return causes_of_state(state)


def causes_of_state(state: NodeState | walking.Told | None) -> list[Cause]:
    """Return what explains what monitors told of a view; nothing where that is not bad, or of no view.

    Where they could not tell the as-of, it is what our own runs told.
    """
    if state is None or state.state not in SUFFERING:
        return []
    if naming.parse_id(state.node_id).kind != naming.Kind.VIEW:
        return []
    found = _look_above(state.node_id)
    return explain(Breach(state.as_of or found.told, state.since), found.upstream, own_reads=found.reads)


def _look_above(node_id: str) -> _Surroundings:
    walk = walking.Walk(runs_of_a_job=RUNS_OF_A_JOB)
    focus = walk.look_around(naming.parse_id(node_id).digest, up=READ_AT_ONCE, down=0)
    if focus is None:
        return _Surroundings()
    edges, depth = _walk_up(walk, focus)
    rows = walk.rows(depth)
    jobs = walk.runs([key for key, row in rows.items() if row.kind == naming.Kind.JOB])
    runs = {job: [run_record(row) for row in found] for job, found in jobs.items()}
    own_jobs = [key for key in edges.get(focus, ()) if rows[key].kind == naming.Kind.JOB]
    states = walk.told(rows)
    below = walking.inverted(edges)
    upstream = [
        _upstream(
            rows,
            shortest_path(key, focus, below),
            runs=_runs_for(rows[key], runs, own_jobs, edges),
            state=states.get(key),
        )
        for key in depth
        if key != focus
    ]
    reads = {rows[job].node_id: at for job in own_jobs if (at := _last_good_start(runs.get(job, ())))}
    told = [run.watermark for job in own_jobs for run in runs.get(job, ()) if run.watermark is not None]
    return _Surroundings(upstream, reads, max(told, default=None))


def _walk_up(walk: walking.Walk, focus: int) -> tuple[dict[int, list[int]], dict[int, int]]:
    """Return the edges (node -> those that feed it) and each node's distance above ``focus``, capped."""
    depth, frontier = {focus: 0}, [focus]
    edges: dict[int, list[int]] = {}
    while frontier and len(depth) < MAX_NODES:
        step = walk.upstream(frontier)
        edges |= step
        found = sorted({other for others in step.values() for other in others} - depth.keys())
        found = found[: MAX_NODES - len(depth)]
        level = depth[frontier[0]] + 1
        depth |= dict.fromkeys(found, level)
        frontier = found
    kept = {key: [other for other in others if other in depth] for key, others in edges.items()}
    return kept, depth


def _runs_for(
    row: Node, runs: Mapping[int, list[RunRecord]], own_jobs: Sequence[int], edges: Mapping[int, list[int]]
) -> Sequence[RunRecord]:
    """A job's own runs; for a dataset those of our jobs that read it for this view."""
    if row.kind == naming.Kind.JOB:
        return runs.get(row.pk, ())
    return [run for job in own_jobs if row.pk in edges.get(job, ()) for run in runs.get(job, ())]


def run_record(row: Run) -> RunRecord:
    """Return a run as domain.causes reads it."""
    facets = merging.current(row.facets)
    own = read_own_facts(facets)
    return RunRecord(
        run_id=str(row.run_id),
        state=row.state,
        started_at=row.started_at or row.first_at,
        ended_at=row.ended_at,
        error=str(facets.get("errorMessage", {}).get("message") or "")[:MAX_REASON],
        hollow=own.hollow,
        watermark=own.watermark,
        lane=own.lane,
        told_look_at=own.looked_at,
    )


def _last_good_start(runs: Sequence[RunRecord]) -> datetime | None:
    return max((run.started_at for run in runs if run.state == merging.GOOD), default=None)


def _upstream(
    rows: Mapping[int, Node],
    path: Sequence[int],
    *,
    runs: Sequence[RunRecord],
    state: walking.Told | None,
) -> Upstream:
    return Upstream(
        node_id=rows[path[0]].node_id,
        is_job=rows[path[0]].kind == naming.Kind.JOB,
        path=tuple(rows[step].node_id for step in path),
        runs=runs,
        state=state.state if state else "",
        state_since=state.since if state else None,
        state_detail=state.detail if state else "",
    )
