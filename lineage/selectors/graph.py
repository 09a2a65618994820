"""The graph for the explorer: capped, with states, in one answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import shorten

from controlplane.kernel.errors import NotFound
from lineage.domain import drawing, naming
from lineage.domain.causes import Cause, CauseKind
from lineage.domain.naming import NodeRef
from lineage.models import Node
from lineage.selectors import walking
from lineage.selectors.causes import READ_AT_ONCE, causes_of_state
from lineage.selectors.states import MAX_DETAIL, NOBODY_KNOWS, Shown, shown_states


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """What is asked: a focus and how far to walk. ``readable`` None stands for every project.

    ``explain``: look for the cause when the focus suffers, which takes a walk of its own.
    """

    node: NodeRef
    up: int = 1
    down: int = 1
    limit: int = drawing.DEFAULT_LIMIT
    trace_cause: bool = False
    explain: bool = True
    readable: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """A node as drawn. Totals count neighbours over live edges; ``hidden`` of them may not be read."""

    id: str
    kind: str
    name: str
    namespace: str
    owner: str
    shown: Shown
    up_total: int
    up_drawn: int
    down_total: int
    down_drawn: int
    hidden: int


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes (worst first, then nearest), edges (from, to, broken), the cause, what is left out."""

    focus: str
    nodes: list[DrawnNode]
    edges: list[tuple[str, str, bool]]
    cause: Cause | None
    left_out: int
    as_of: datetime


@dataclass(slots=True)
class _Scene:
    rows: Mapping[int, Node]
    up: Mapping[int, Sequence[int]]
    down: Mapping[int, Sequence[int]]
    closed: frozenset[int]  # neighbours in projects that the caller may not read


def draw_graph(request: GraphRequest, *, now: datetime) -> Graph:
    """Return the graph around a node; ``NotFound`` when it is unknown or in a project not to be read."""
    walk = walking.Walk()
    # The path of a cause lies farther up than what is asked for; what is read at once need not be asked for.
    up = READ_AT_ONCE if request.trace_cause else min(request.up, READ_AT_ONCE)
    key = walk.look_around(request.node.digest, up=up, down=min(request.down, READ_AT_ONCE))
    focus = walk.rows([key])[key] if key is not None else walking.find_node(request.node)
    if focus is None or not _is_open(focus.project, request.readable):
        raise NotFound("not_found", f"There is no node {request.node.id!r}, or you may not know of it.")
    cause = _cause_of(walk, focus) if request.explain else None
    if cause is not None and not _path_is_readable(cause, request.readable):
        cause = None
    drawn = drawing.draw(
        focus.pk,
        up=request.up,
        down=request.down,
        limit=request.limit,
        upstream=lambda keys: _readable(walk, walk.upstream(keys), request.readable),
        downstream=lambda keys: _readable(walk, walk.downstream(keys), request.readable),
        states=lambda keys: _state_words(walk, keys, now=now),
    )
    depth = drawn.depth | (_depths(walk, cause, drawn.depth) if request.trace_cause and cause else {})
    scene = _scene(walk, list(depth), request.readable)
    shown = shown_states(walk, scene.rows, now=now) | _stopped(cause, scene)
    nodes = [_drawn_node(scene, key, shown[key]) for key in depth]
    order = {scene.rows[key].node_id: (drawing.severity(shown[key].state), abs(depth[key])) for key in depth}
    nodes.sort(key=lambda node: (*order[node.id], node.id))
    inside = {node.id for node in nodes}
    if cause is not None and not set(cause.path) <= inside:
        cause = None
    return Graph(focus.node_id, nodes, _edges(scene, shown), cause, drawn.left_out, now)


def _scene(walk: walking.Walk, keys: Sequence[int], readable: frozenset[str] | None) -> _Scene:
    rows, up, down = walk.rows(keys), walk.upstream(keys), walk.downstream(keys)
    beside = {other for step in (up, down) for others in step.values() for other in others} - rows.keys()
    owners = {} if readable is None else walk.projects(beside)
    closed = frozenset(key for key, project in owners.items() if not _is_open(project, readable))
    return _Scene(rows, up, down, closed)


def _cause_of(walk: walking.Walk, focus: Node) -> Cause | None:
    return next(iter(causes_of_state(walk.told([focus.pk]).get(focus.pk))), None)


def _stopped(cause: Cause | None, scene: _Scene) -> dict[int, Shown]:
    """A source that stopped is drawn as what it is: whoever makes it may have ended well, long ago."""
    if cause is None or cause.kind is not CauseKind.STOPPED_SOURCE:
        return {}
    found = [key for key, row in scene.rows.items() if row.node_id == cause.node_id]
    return dict.fromkeys(
        found, Shown("stale", cause.since, shorten(cause.reason, MAX_DETAIL, placeholder="…"))
    )


def _depths(walk: walking.Walk, cause: Cause, drawn: Mapping[int, int]) -> dict[int, int]:
    """The nodes of the cause's path that are not drawn yet, with their depth; the path is never cut."""
    digests = {naming.parse_id(node_id).digest: -hops for hops, node_id in enumerate(reversed(cause.path))}
    rows = walk.named(digests)
    return {row.pk: digests[row.digest] for row in rows if row.pk not in drawn}


def _path_is_readable(cause: Cause, readable: frozenset[str] | None) -> bool:
    projects = {naming.parse_id(node_id).project for node_id in cause.path} - {None}
    return readable is None or projects <= readable


def _is_open(project: str, readable: frozenset[str] | None) -> bool:
    return readable is None or not project or project in readable


def _readable(
    walk: walking.Walk, step: Mapping[int, Sequence[int]], readable: frozenset[str] | None
) -> Mapping[int, Sequence[int]]:
    if readable is None:
        return step
    owners = walk.projects({key for others in step.values() for key in others})
    return {
        key: [other for other in others if _is_open(owners[other], readable)] for key, others in step.items()
    }


def _state_words(walk: walking.Walk, keys: Sequence[int], *, now: datetime) -> dict[int, str]:
    return {key: shown.state for key, shown in shown_states(walk, walk.rows(keys), now=now).items()}


def _drawn_node(scene: _Scene, key: int, shown: Shown) -> DrawnNode:
    row = scene.rows[key]
    up, down = scene.up.get(key, []), scene.down.get(key, [])
    return DrawnNode(
        id=row.node_id,
        kind=row.kind,
        name=row.name,
        namespace=row.namespace,
        owner=row.owner,
        shown=shown,
        up_total=len(up),
        up_drawn=sum(other in scene.rows for other in up),
        down_total=len(down),
        down_drawn=sum(other in scene.rows for other in down),
        hidden=sum(other in scene.closed for other in (*up, *down)),
    )


def _edges(scene: _Scene, shown: Mapping[int, Shown]) -> list[tuple[str, str, bool]]:
    found = []
    for target, sources in scene.up.items():
        for source in sources:
            if source in scene.rows:
                ends = (shown.get(source, NOBODY_KNOWS).state, shown.get(target, NOBODY_KNOWS).state)
                broken = all(state in drawing.SUFFERING for state in ends)
                found.append((scene.rows[source].node_id, scene.rows[target].node_id, broken))
    return sorted(found)
