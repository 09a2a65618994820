"""The explorer's table: what the graph of the island holds, drawn by the server."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime

from controlplane.contracts.model import Definition
from controlplane.registry import selectors as registry
from frontend.readers.health import WELL, read_health
from frontend.records.lineage import LineagePage, LineageRow, Problem
from frontend.states import severity
from lineage import selectors as lineage
from lineage.domain import naming

_HOPS = 2
_Edge = tuple[str, str, bool]


def read_around(
    project: str, focus: str, *, mode: str, trace: bool, readable: frozenset[str] | None, now: datetime
) -> LineagePage:
    """Return the explorer around ``focus``; ``NotFound`` when it is unknown or not to be read."""
    node = naming.parse_id(focus)
    asked = lineage.GraphRequest(node=node, up=_HOPS, down=_HOPS, trace_cause=trace, readable=readable)
    graph = lineage.draw_graph(asked, now=now)
    depths = _depths(graph.focus, graph.edges)
    names = {each.id: each.name for each in graph.nodes}
    path = frozenset(graph.cause.path) if graph.cause else frozenset[str]()
    rows = [
        LineageRow(
            node=each.id,
            kind=each.kind,
            name=each.name,
            namespace=each.namespace,
            state=each.shown.state,
            detail=each.shown.detail,
            owner=each.owner,
            depth=depths.get(each.id, (0, ""))[0],
            via=names.get(depths.get(each.id, (0, ""))[1], ""),
            on_cause_path=each.id in path,
            is_cause=graph.cause is not None and each.id == graph.cause.node_id,
        )
        for each in graph.nodes
    ]
    return LineagePage(
        project=project,
        focus=graph.focus,
        focus_name=names.get(graph.focus, node.name),
        mode=mode,
        rows=tuple(sorted(rows, key=lambda row: (row.depth, row.name))),
        problems=(),
        views=(),
        left_out=f"{graph.left_out} left out: worst and nearest first" if graph.left_out else "",
        cause=graph.cause.reason if graph.cause else "",
    )


def read_starts(project: str, query: str, *, now: datetime) -> LineagePage:
    """Return where to start: the project's views, or what is called like ``query``."""
    definition = registry.find_definition(project)
    watched = read_health(project, readable=(project,), now=now)
    views = [
        Problem(
            f"view:{project}/{record.name}",
            "view",
            record.name,
            watched.state_of(record),
            record.view.description,
        )
        for record in registry.list_summaries(project)
    ]
    named = [*views, *_consumers(definition, project)]
    found = [node for node in named if query.lower() in node.name.lower()]
    bad = sorted((view for view in views if view.state not in WELL), key=lambda view: severity(view.state))
    return LineagePage(
        project=project,
        focus="",
        focus_name="",
        mode="graph",
        rows=(),
        problems=tuple((found if query else bad)[:50]),
        views=() if query else tuple(views),
        query=query,
    )


def _consumers(definition: Definition, project: str) -> Iterable[Problem]:
    for service in definition.feature_services:
        node = f"service:{project}/{service.name}"
        yield Problem(node, "service", service.name, "no_data", service.description)
    for model in sorted({service.model for service in definition.feature_services if service.model}):
        yield Problem(f"model:{project}/{model}", "model", model, "no_data", "")


def _depths(focus: str, edges: Sequence[_Edge]) -> dict[str, tuple[int, str]]:
    """Return for each node its depth, negative upstream, and the neighbour nearer the focus."""
    found: dict[str, tuple[int, str]] = {focus: (0, "")}
    for step in (-1, 1):
        beside: dict[str, list[str]] = defaultdict(list)
        for source, target, _ in edges:
            near, far = (target, source) if step < 0 else (source, target)
            beside[near].append(far)
        waiting = deque([focus])
        while waiting:
            near = waiting.popleft()
            for far in beside[near]:
                if far not in found:
                    found[far] = (found[near][0] + step, near)
                    waiting.append(far)
    return found
