"""One feature view out of the registry, the graph and what serving reported."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from controlplane.ingestion import selectors as ingestion
from controlplane.kernel.errors import NotFound
from controlplane.registry import selectors as registry
from controlplane.registry.selectors import KeyedView
from frontend.minimap import MapNode
from frontend.readers.ages import RANGES, Ages, fitting_range, read_ages
from frontend.readers.cells import read_cells
from frontend.readers.contract import read_contract
from frontend.readers.health import Watched, banner_of, read_health
from frontend.readers.last_day import DAY, LastDay, read_last_day
from frontend.readers.once import once, remember
from frontend.readers.runs import read_runs_of
from frontend.readers.snippets import snippets
from frontend.readers.states import tags_of
from frontend.readers.strips import read_strips
from frontend.records.view import ContractTab, Overview, Receiver, RunRow, ViewPage
from lineage import selectors as lineage
from lineage.domain import naming
from monitors.selectors.channels import channel_uses, receivers_of
from monitors.selectors.incidents import lately_of_view, open_incidents


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for, and whether the person may act."""

    tab: str = "overview"
    older: int | None = None
    newer: int | None = None
    range: str = ""  # of the freshness chart; "": what fits the age of the view
    may_operate: bool = False
    readable: Collection[str] | None = ()  # the projects of the person, None for all


def read_view(project: str, name: str, wanted: Wanted, *, now: datetime) -> ViewPage:
    """Return the page with one tab open; ``NotFound`` when there is no such view or contract."""
    record = registry.find_keyed_view(project, name)
    range = wanted.range or fitting_range(now - record.created_at)
    since = now - RANGES[range][0]
    incidents = lately_of_view(project, name, since=since)
    remember([one for one in incidents if one.resolved_at is None], open_incidents, project)
    last_runs = ingestion.runs_of_view(record.id, since=min(since, now - DAY))
    day = read_last_day(project, name, known_since=record.created_at, now=now)
    watched = read_health(project, readable=wanted.readable, view=name, now=now)
    contract: ContractTab | None = None
    overview: Overview | None = None
    runs: tuple[RunRow, ...] | None = None
    if wanted.tab == "contract":
        contract = read_contract(record, older=wanted.older, newer=wanted.newer, now=now)
    elif wanted.tab == "runs":
        runs = read_runs_of(project, name, now=now)
    else:
        mine = [one for one in incidents if one.view == name]
        ages = read_ages(record, range=range, runs=last_runs, incidents=mine, now=now)
        overview = _overview(record, watched, ages, day, range=range)
    view = record.view
    return ViewPage(
        project=project,
        name=name,
        node=_node(record),
        state=watched.state_of(record),
        since=watched.since_of(name),
        age=watched.age_of(name),
        limit=record.strictest_max_age,
        entities=view.entities,
        join_keys=tuple(key.name for key in record.join_keys),
        owner=view.owner or "",
        description=view.description,
        tier=view.tier.value,
        runbook=view.runbook or "",
        tags=tags_of(view),
        lanes=view.lanes,
        paused=record.paused,
        cells=read_cells(record, watched, day, last_runs),
        incident=banner_of(record, watched),
        tab=wanted.tab,
        overview=overview,
        contract=contract,
        runs=runs,
        may_operate=wanted.may_operate,
    )


def _node(record: KeyedView) -> str:
    return f"view:{record.project}/{record.name}"


def _overview(record: KeyedView, watched: Watched, ages: Ages, day: LastDay, *, range: str) -> Overview:
    nodes, edges = _map(record, now=day.now)
    features = [feature.name for feature in record.view.features]
    root = watched.root_of(record.name)
    return Overview(
        figure=ages.figure,
        summary=ages.summary,
        range=range,
        points=ages.rows,
        strips=read_strips(features, day, state=watched.state_of(record)),
        features=len(features),
        receivers=_receivers(record),
        map_nodes=nodes,
        map_edges=edges,
        map_cause=root.cause_path if root else (),
        snippets=snippets(
            settings.FRESHLINE_SERVING_URL,
            project=record.project,
            asked={"features": [f"{record.name}:{feature}" for feature in features]},
            entities={key.name: ["..."] for key in record.join_keys},
        ),
    )


def _receivers(record: KeyedView) -> tuple[Receiver, ...]:
    found = receivers_of(record.view.owner or "", record.project, once(channel_uses))
    return tuple(
        Receiver(
            each.name, each.kind.value, "critical incidents only" if each.only_critical else "every incident"
        )
        for each in found
    )


def _map(record: KeyedView, *, now: datetime) -> tuple[tuple[MapNode, ...], tuple[tuple[str, str], ...]]:
    node = naming.parse_id(_node(record))
    asked = lineage.GraphRequest(node=node, limit=40, explain=False, readable=frozenset({record.project}))
    try:
        graph = lineage.draw_graph(asked, now=now)
    except NotFound:  # the graph follows the registry a moment later
        return (), ()
    ups = {source for source, target, _ in graph.edges if target == graph.focus}
    downs = {target for source, target, _ in graph.edges if source == graph.focus}
    nodes = tuple(
        MapNode(
            each.id, each.kind, each.name, each.shown.state, -(each.id in ups) if each.id not in downs else 1
        )
        for each in graph.nodes
    )
    return nodes, tuple((source, target) for source, target, _ in graph.edges)
