"""What lies below a node: its downstream closure, capped."""

from dataclasses import dataclass

from controlplane.kernel.errors import NotFound
from lineage.domain.naming import NodeRef
from lineage.selectors import walking

MAX_NODES = 2_000


@dataclass(frozen=True, slots=True)
class Affected:
    """A node below; ``depth`` in hops."""

    id: str
    kind: str
    name: str
    project: str
    owner: str
    depth: int


def find_impact(node: NodeRef, *, readable: frozenset[str] | None) -> tuple[list[Affected], int]:
    """Return what lies below ``node``, nearest first, and how many of it are in projects not to be read."""
    focus = walking.find_node(node)
    if focus is None or not (readable is None or not focus.project or focus.project in readable):
        raise NotFound("not_found", f"There is no node {node.id!r}, or you may not know of it.")
    walk = walking.Walk()
    depth, frontier = {focus.pk: 0}, [focus.pk]
    while frontier and len(depth) < MAX_NODES:
        step = walk.downstream(frontier)
        found = sorted({other for others in step.values() for other in others} - depth.keys())
        found = found[: MAX_NODES - len(depth)]
        depth |= dict.fromkeys(found, depth[frontier[0]] + 1)
        frontier = found
    del depth[focus.pk]
    rows = walk.rows(depth)
    open_rows = {k: r for k, r in rows.items() if readable is None or not r.project or r.project in readable}
    affected = [
        Affected(row.node_id, row.kind, row.name, row.project, row.owner, depth[key])
        for key, row in open_rows.items()
    ]
    return sorted(affected, key=lambda a: (a.depth, a.id)), len(rows) - len(open_rows)
