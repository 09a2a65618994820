"""The state of nodes for people: health words, since when, and the one thing that matters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import shorten
from typing import Any

from lineage.domain import merging, naming
from lineage.domain.drawing import severity
from lineage.domain.own_runs import read_own_facts
from lineage.models import Node
from lineage.selectors import walking
from lineage.selectors.progress import is_silent
from lineage.selectors.runs import last_runs_of

MAX_DETAIL = 80
WELL = "fresh"


@dataclass(frozen=True, slots=True)
class Shown:
    """A node's state as it is drawn."""

    state: str
    since: datetime | None = None
    detail: str = ""


NOBODY_KNOWS = Shown("no_data")


def last_words(ids: Iterable[str], *, now: datetime) -> dict[str, Shown]:
    """Return what the last run of each job among ``ids`` says, in one query; other nodes are left out."""
    digests = {naming.parse_id(node_id).digest: node_id for node_id in ids}
    runs = last_runs_of(digests)
    return {digests[digest]: _of_run(run, now=now) for digest, run in runs.items()}


def shown_states(walk: walking.Walk, rows: Mapping[int, Node], *, now: datetime) -> dict[int, Shown]:
    """Return the state of each node: what monitors say, else what its last run, or its makers' runs, say."""
    told = _told(walk, rows, now=now)
    jobs = [key for key, row in rows.items() if row.kind == naming.Kind.JOB]
    runs = _of_jobs(walk, jobs, now=now)
    # A job that comes when it is due may still fail: the worse of the two is how it is.
    told |= {key: _worst([told[key], runs[key]]) for key in told.keys() & runs.keys()}
    others = [key for key in rows if key not in told and key not in jobs]
    return dict.fromkeys(rows, NOBODY_KNOWS) | _of_makers(walk, others, now=now) | runs | told


def _told(walk: walking.Walk, keys: Iterable[int], *, now: datetime) -> dict[int, Shown]:
    found = {}
    for key, state in walk.told(keys).items():
        overdue = state.valid_until is not None and state.valid_until < now
        shown = (
            NOBODY_KNOWS
            if overdue
            else Shown(state.state, state.since, shorten(state.detail, MAX_DETAIL, placeholder="…"))
        )
        found[key] = shown
    return found


def _of_makers(walk: walking.Walk, keys: Sequence[int], *, now: datetime) -> dict[int, Shown]:
    """A dataset is as its makers' last runs; a service or model as the worst of what feeds it."""
    makers = walk.upstream(keys)
    above = walk.rows({maker for others in makers.values() for maker in others})
    runs = _of_jobs(walk, [key for key, row in above.items() if _is_job(row)], now=now)
    states = runs | _told(walk, [key for key, row in above.items() if not _is_job(row)], now=now)
    services = [key for key, row in above.items() if row.kind == naming.Kind.SERVICE.value]
    if services:  # of a model: monitors tell of views alone
        states |= _of_makers(walk, services, now=now)
    found = {}
    for key, others in makers.items():
        known = [states[other] for other in others if other in states]
        if known:
            found[key] = _worst(known)
    return found


def _of_jobs(walk: walking.Walk, keys: Sequence[int], *, now: datetime) -> dict[int, Shown]:
    """What the last runs of jobs say."""
    return {key: _of_run(runs[0], now=now) for key, runs in walk.runs(keys).items()}


def _is_job(row: Node) -> bool:
    return row.kind == naming.Kind.JOB.value


def _worst(states: Iterable[Shown]) -> Shown:
    return min(states, key=lambda shown: severity(shown.state))


def _of_run(run: Any, *, now: datetime) -> Shown:  # with the look that selectors.runs joins
    """What the last run of a job says; while nobody takes events in, a good one need not be the last."""
    at = run.ended_at or run.started_at or run.first_at
    facets = merging.current(run.facets)
    if run.state in merging.BAD:
        error = str(facets.get("errorMessage", {}).get("message") or "")
        word = "failed" if run.state == "FAIL" else "aborted"
        told = f"{word} {at:%H:%M}{': ' + error if error else ''}"
        return Shown("missing", at, shorten(told, MAX_DETAIL, placeholder="…"))
    if read_own_facts(facets).hollow:
        return Shown("late", at, f"hollow run {at:%H:%M}")
    state = NOBODY_KNOWS.state if is_silent(run.looked_at, now=now) else WELL
    return Shown(state, at, f"{'complete' if run.state == merging.GOOD else 'running since'} {at:%H:%M}")
