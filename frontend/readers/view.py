"""One feature view out of the registry, the graph and what serving reported."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from controlplane.ingestion import selectors as ingestion
from controlplane.ingestion.selectors import RunRecord
from controlplane.kernel.errors import NotFound
from controlplane.observations import selectors as observations
from controlplane.registry import selectors as registry
from controlplane.registry.selectors import KeyedView
from frontend.minimap import MapNode
from frontend.readers.ages import RANGES, Ages, fitting_range, read_ages
from frontend.readers.contract import read_contract
from frontend.readers.health import Watched, banner_of, read_health
from frontend.readers.once import once, remember
from frontend.readers.runs import read_runs_of
from frontend.readers.snippets import snippets
from frontend.readers.states import tags_of
from frontend.records.view import ContractTab, HealthCell, Overview, Receiver, RunRow, ViewPage
from frontend.wording import count, duration, percent
from lineage import selectors as lineage
from lineage.domain import naming
from monitors.selectors.channels import channel_uses, receivers_of
from monitors.selectors.incidents import lately_of_view, open_incidents

_DAY = timedelta(days=1)
_COLUMN = timedelta(minutes=30)


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
    last_runs = ingestion.runs_of_view(record.id, since=since)
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
        overview = _overview(record, watched, ages, range=range, now=now)
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
        cells=(_freshness(record, watched), *_cells(record, now=now), _last_run(last_runs)),
        incident=banner_of(record, watched),
        tab=wanted.tab,
        overview=overview,
        contract=contract,
        runs=runs,
        may_operate=wanted.may_operate,
    )


def _node(record: KeyedView) -> str:
    return f"view:{record.project}/{record.name}"


def _freshness(record: KeyedView, watched: Watched) -> HealthCell:
    """Say how old the oldest keys are, and what monitors make of it."""
    one = watched.views.get(record.name)
    note = one.health.reason if one and one.health.reason else f"at most {duration(record.strictest_max_age)}"
    age = watched.age_of(record.name)
    value = "–" if age is None else duration(age)
    return HealthCell("freshness", "Freshness", watched.state_of(record), value, note, (), "?tab=overview")


def _cells(record: KeyedView, *, now: datetime) -> tuple[HealthCell, ...]:
    """Say what lookups got in the last day. It is told, not judged: judging is for who watches."""
    minutes = observations.sums_by_minute(record.project, record.name, start=now - _DAY, end=now)
    requests, bad, values = 0, 0, 0
    series: list[float | None] = [None] * (_DAY // _COLUMN)
    for at, sums in minutes:
        requests += sums.requests
        values += sums.total_values
        bad += sums.total_values - sums.values.get("fresh", 0) - sums.values.get("null", 0)
        column = min((at - (now - _DAY)) // _COLUMN, len(series) - 1)
        series[column] = (series[column] or 0) + sums.requests
    share = bad / values if values else None
    return (
        HealthCell(
            "completeness",
            "Not as promised",
            "",
            percent(share),
            f"of {count(values)} values, 24 h" if values else "no value was looked up in 24 h",
            (),
            "?tab=contract",
        ),
        HealthCell("serving", "Lookups", "", count(requests), "in 24 h", tuple(series), ""),
    )


def _last_run(newest: Sequence[RunRecord]) -> HealthCell:
    """Say how the last execution of any lane went."""
    run = next((run for run in newest if run.started_at is not None), None)
    if run is None:
        return HealthCell("run", "Last run", "no_data", "none", "no lane has run yet", (), "?tab=runs")
    state = "hollow" if run.hollow else run.state
    moved = count(run.counts.written)
    ended = f"{run.ended_at:%H:%M} UTC, " if run.ended_at else ""
    return HealthCell(
        "run", "Last run", state, f"#{run.id}", f"{ended}{run.lane}, {moved} written", (), "?tab=runs"
    )


def _overview(record: KeyedView, watched: Watched, ages: Ages, *, range: str, now: datetime) -> Overview:
    nodes, edges = _map(record, now=now)
    root = watched.root_of(record.name)
    return Overview(
        figure=ages.figure,
        summary=ages.summary,
        range=range,
        points=ages.rows,
        strips=(),
        receivers=_receivers(record),
        map_nodes=nodes,
        map_edges=edges,
        map_cause=root.cause_path if root else (),
        snippets=snippets(
            settings.FRESHLINE_SERVING_URL,
            project=record.project,
            asked={"features": [f"{record.name}:{feature.name}" for feature in record.view.features]},
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
