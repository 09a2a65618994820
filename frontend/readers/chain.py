"""From the cause to whom it hits: the chain that an incident's page exists for."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from django.urls import NoReverseMatch, reverse

from frontend.records.incidents import Alternative, ChainStep
from frontend.wording import amount, count, duration, ratio
from lineage import selectors as lineage
from lineage.domain import naming
from lineage.domain.naming import OWN_SCHEME, Kind, NodeRef
from monitors.domain.causes import may_know
from monitors.selectors.affected import Consumer
from monitors.selectors.health import ViewNow

Cause = Mapping[str, object]
MOST_BETWEEN = 3  # steps between the cause and the view; of more, the middle ones are counted
_LAST_BETWEEN = 2
_MOST_ALTERNATIVES = 3
# What the cause was when it was found, whatever it is now.
_STATES = {"failed_run": "failed", "hollow_run": "hollow", "late_run": "late", "stopped_source": "stopped"}
_JOB_STATES = {"missing": "failed", "late": "hollow"}


@dataclass(frozen=True, slots=True)
class Symptoms:
    """What the chain leads to. ``readable``: the projects of the person, None for all."""

    project: str
    view: str
    views: Mapping[str, ViewNow]
    consumers: Sequence[Consumer]
    is_open: bool
    readable: Collection[str] | None
    now: datetime


def views_on_the_way(project: str, cause: Cause | None) -> list[str]:
    """Return the project's views between the cause and the symptom, both included."""
    nodes = map(naming.parse_id, _path(cause)) if cause else ()
    return [node.name for node in nodes if node.kind is Kind.VIEW and node.namespace == project]


def read_chain(cause: Cause | None, symptoms: Symptoms) -> tuple[ChainStep, ...]:
    """Return the steps from cause to consumers; none when no cause is known, or may be."""
    if cause is None or not may_know(cause, symptoms.readable):
        return ()
    path = [naming.parse_id(node) for node in _path(cause)]
    between = [node for node in path[1:-1] if _is_open(node, symptoms.readable)]
    jobs = [node.id for node in between if node.kind is Kind.JOB]
    told = lineage.last_words(jobs, now=symptoms.now) if jobs and symptoms.is_open else {}
    steps = [_between(node, symptoms, told.get(node.id)) for node in between]
    if len(steps) > MOST_BETWEEN:
        hidden = len(steps) - 1 - _LAST_BETWEEN
        more = ChainStep("", "more", f"{hidden} more", "", "on the way", None, "")
        steps = [steps[0], more, *steps[-_LAST_BETWEEN:]]
    last = [_view_step(path[-1], symptoms)] if len(path) > 1 else []
    return (_cause_step(path[0], cause, symptoms), *steps, *last, *_consumer_steps(symptoms))


def alternatives(causes: Iterable[Cause], *, readable: Collection[str] | None) -> tuple[Alternative, ...]:
    """Return the other candidates that the person may know of, the likeliest first."""
    known = [cause for cause in causes if may_know(cause, readable)][:_MOST_ALTERNATIVES]
    return tuple(
        Alternative(
            name=naming.parse_id(str(cause["node"])).name,
            node=str(cause["node"]),
            reason=str(cause["reason"]) + (", not sure" if cause.get("confidence") == "low" else ""),
        )
        for cause in known
    )


def measured(one: ViewNow | None) -> str:
    """Return ``42 min, at most 15 min (2.8x)`` where an age is measured, else what the monitor says."""
    if one is None:
        return "not watched"
    if one.age_s is None or one.limit_s is None:
        return one.health.reason
    age, limit = timedelta(seconds=one.age_s), timedelta(seconds=one.limit_s)
    over = f" ({ratio(age, limit)})" if age > limit else ""
    return f"{duration(age)}, at most {duration(limit)}{over}"


def _path(cause: Cause) -> list[str]:
    kept = cause.get("path")
    return [str(node) for node in kept] if isinstance(kept, list) and kept else [str(cause["node"])]


def _is_open(node: NodeRef, readable: Collection[str] | None) -> bool:
    return readable is None or node.project is None or node.project in readable


def _cause_step(node: NodeRef, cause: Cause, symptoms: Symptoms) -> ChainStep:
    run = cause.get("run")
    return replace(
        _step(node, symptoms.project),
        state=_STATES.get(str(cause["kind"]), "no_data"),
        detail=f"{cause['reason']} (run {str(run)[:8]})" if run else str(cause["reason"]),
        at=datetime.fromisoformat(str(cause["since"])),
        is_cause=True,
    )


def _between(node: NodeRef, symptoms: Symptoms, told: lineage.Shown | None) -> ChainStep:
    if node.kind is Kind.VIEW and node.namespace == symptoms.project:
        return _view_step(node, symptoms)
    step = _step(node, symptoms.project)
    if told is not None:
        return replace(step, state=_JOB_STATES.get(told.state, told.state), detail=told.detail)
    return step


def _view_step(node: NodeRef, symptoms: Symptoms) -> ChainStep:
    now = symptoms.views.get(node.name)
    step = _step(node, symptoms.project)
    if not symptoms.is_open:
        return step
    return replace(step, state=now.health.state.value if now else "no_data", detail=measured(now))


def _consumer_steps(symptoms: Symptoms) -> list[ChainStep]:
    services = [one for one in symptoms.consumers if one.kind == "service"]
    if not services:
        return []
    busiest = max(services, key=lambda one: one.lookups_per_minute)
    rate = busiest.lookups_per_minute
    detail = f"{count(rate)} lookups/min" if rate else "no lookups seen"
    if len(services) > 1:
        detail += f", and {amount(len(services) - 1, 'service')} more"
    main = symptoms.views.get(symptoms.view)
    state = main.health.state.value if main and symptoms.is_open else ""
    node = NodeRef(Kind.SERVICE, symptoms.project, busiest.name)
    return [replace(_step(node, symptoms.project), state=state, detail=detail)]


def _step(node: NodeRef, project: str) -> ChainStep:
    # Where somebody else's node is to be found; ours need no address.
    where = node.namespace if node.kind in (Kind.DATASET, Kind.JOB) else ""
    detail = "" if where.startswith(OWN_SCHEME) else where
    return ChainStep(node.id, node.kind.value, node.name, "", detail, None, _address(node, project))


def _address(node: NodeRef, project: str) -> str:
    if node.kind is Kind.VIEW and node.namespace == project:
        return reverse("view", kwargs={"project": project, "name": node.name})
    if node.kind is Kind.JOB and node.namespace == f"{OWN_SCHEME}{project}":
        view, _, lane = node.name.rpartition(".")
        try:
            runs = reverse("run_list", kwargs={"project": project})
        except NoReverseMatch:
            runs = ""
        if runs:
            return f"{runs}?view={quote(view)}&lane={quote(lane)}"
    return f"{reverse('lineage', kwargs={'project': project})}?focus={quote(node.id, safe='')}"
