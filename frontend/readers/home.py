"""Home: how the views are, what is broken and why, what changed, how to go on."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from controlplane.accounts.auth import Principal
from controlplane.ingestion import selectors as ingestion
from controlplane.registry import selectors as registry
from controlplane.registry.selectors import ViewSummary
from frontend.readers import health
from frontend.readers.day import read_day
from frontend.readers.last_day import DAY, read_last_day
from frontend.readers.runs import lines_in_progress
from frontend.readers.tiles import read_tiles
from frontend.records.home import Change, HomePage, StateCount, Step, verdict
from frontend.states import HEALTH

_MOST_BROKEN = 10


def read_home(project: str, principal: Principal, *, scope: str, now: datetime) -> HomePage:
    """Return Home of ``project`` for the views in ``scope``: mine, team or all."""
    records = registry.list_summaries(project)
    shown = [record for record in records if _in_scope(record, principal, scope)]
    watched = health.read_health(project, readable=principal.readable_projects(), now=now)
    batches = ingestion.batches_lately(project, since=now - DAY)
    began = min((record.created_at for record in records), default=now)
    day = read_last_day(project, known_since=began, now=now)
    counts = Counter(watched.state_of(record) for record in shown)
    return HomePage(
        project=project,
        scope=scope,
        verdict=verdict(counts, scope=scope),
        verdict_state=next((state for state in HEALTH if counts[state]), "no_data"),
        checked_at=watched.checked_at(),
        counts=tuple(StateCount(state, counts[state]) for state in HEALTH),
        strip=read_day(shown, now=now),
        broken=health.broken_groups(shown, watched, most=_MOST_BROKEN),
        broken_total=health.count_broken(shown, watched),
        incidents=health.incident_lines(watched),
        runs=lines_in_progress(batches.running),
        approaching=health.approaching(shown, watched, now=now),
        changes=_changes(shown, now=now),
        tiles=read_tiles(project, day, batches.good),
        steps=() if records else _steps(now=now),
    )


def _in_scope(record: ViewSummary, principal: Principal, scope: str) -> bool:
    owner = record.view.owner
    if scope == "mine":
        return owner == principal.name
    return scope != "team" or owner in principal.teams


def _changes(records: Sequence[ViewSummary], *, now: datetime) -> tuple[Change, ...]:
    lately = [record for record in records if record.changed_at >= now - DAY]
    lately.sort(key=lambda record: record.changed_at, reverse=True)
    return tuple(
        Change(
            text="was added" if record.created_at >= now - DAY else "was changed",
            view=record.name,
            at=record.changed_at,
            actor=record.view.owner or "no owner",
        )
        for record in lately[:8]
    )


def _steps(*, now: datetime) -> tuple[Step, ...]:
    serving = bool(registry.serving_instances(since=now - DAY))
    return (
        Step("Make a token for the command line", done=False, address="/settings/tokens"),
        Step("Apply a definition file", done=False, command="freshline apply definition.yaml"),
        Step("Start serving", done=serving, command="freshline-serving"),
    )
