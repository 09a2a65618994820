"""The state of nodes for people: health words, since when, and the one thing that matters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import shorten

from lineage.domain import merging, naming
from lineage.domain.drawing import severity
from lineage.models import Node, NodeState, Run
from lineage.selectors import walking
from lineage.selectors.runs import last_runs, last_runs_of

MAX_DETAIL = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """A node's state as it is drawn."""

    state: str
    since: datetime | None = None
    detail: str = ""


NOBODY_KNOWS = Shown("no_data")


def last_words(ids: Iterable[str]) -> dict[str, Shown]:
    """Return what the last run of each job among ``ids`` says, in one query; other nodes are left out."""
    digests = {naming.parse_id(node_id).digest: node_id for node_id in ids}
    runs = last_runs_of(digests)
    return {digests[digest]: _of_run(run) for digest, run in runs.items()}


def shown_states(walk: walking.Walk, rows: Mapping[int, Node], *, now: datetime) -> dict[int, Shown]:
    """Return the state of each node: what monitors say, else what its last run, or its makers' runs, say."""
    told = _told(rows, now=now)
    jobs = [key for key, row in rows.items() if row.kind == naming.Kind.JOB]
    runs = {key: _of_run(run) for key, run in last_runs(jobs).items()}
    others = [key for key in rows if key not in told and key not in jobs]
    return dict.fromkeys(rows, NOBODY_KNOWS) | _of_makers(walk, others, now=now) | runs | told


def _told(rows: Mapping[int, Node], *, now: datetime) -> dict[int, Shown]:
    by_digest = {row.digest: key for key, row in rows.items()}
    found = {}
    for state in NodeState.objects.filter(digest__in=by_digest, until=None):
        overdue = state.valid_until is not None and state.valid_until < now
        shown = (
            NOBODY_KNOWS
            if overdue
            else Shown(state.state, state.since, shorten(state.detail, MAX_DETAIL, placeholder="…"))
        )
        found[by_digest[state.digest]] = shown
    return found


def _of_makers(walk: walking.Walk, keys: Sequence[int], *, now: datetime) -> dict[int, Shown]:
    """A dataset is as its makers' last runs; a service or model as the worst of what feeds it."""
    makers = walk.upstream(keys)
    above = walk.rows({maker for others in makers.values() for maker in others})
    runs = {
        key: _of_run(run) for key, run in last_runs([k for k, row in above.items() if _is_job(row)]).items()
    }
    states = runs | _told({key: row for key, row in above.items() if not _is_job(row)}, now=now)
    found = {}
    for key, others in makers.items():
        known = [states[other] for other in others if other in states]
        if known:
            found[key] = _worst(known)
    return found


def _is_job(row: Node) -> bool:
    return row.kind == naming.Kind.JOB.value


def _worst(states: Iterable[Shown]) -> Shown:
    return min(states, key=lambda shown: severity(shown.state))


def _of_run(run: Run) -> Shown:
    at = run.ended_at or run.started_at or run.first_at
    facets = merging.current(run.facets)
    if run.state in merging.BAD:
        error = str(facets.get("errorMessage", {}).get("message") or "")
        word = "failed" if run.state == "FAIL" else "aborted"
        told = f"{word} {at:%H:%M}{': ' + error if error else ''}"
        return Shown("missing", at, shorten(told, MAX_DETAIL, placeholder="…"))
    if facets.get("freshline", {}).get("hollow") is True:
        return Shown("late", at, f"hollow run {at:%H:%M}")
    return Shown("fresh", at, f"{'complete' if run.state == merging.GOOD else 'running since'} {at:%H:%M}")
