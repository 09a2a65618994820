"""The catalogue out of the registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import TypeVar

from controlplane.ingestion import selectors as ingestion
from controlplane.ingestion.selectors import RunRecord
from controlplane.observations import selectors as observations
from controlplane.registry import selectors as registry
from controlplane.registry.selectors import ViewSummary
from frontend.readers.health import Watched, read_health
from frontend.readers.states import consumers_of, tags_of
from frontend.records.catalogue import CataloguePage, FeatureRow, ViewRow
from frontend.states import severity

PAGE = 50
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for. ``first`` is the number of the first row."""

    query: str = ""
    kind: str = "views"
    state: str = ""
    owner: str = ""
    sort: str = ""
    first: int = 1


def read_catalogue(project: str, wanted: Wanted, *, now: datetime) -> CataloguePage:
    """Return one page of the views or features of ``project`` that match."""
    records = registry.list_summaries(project)
    watched = read_health(project, readable=(project,), now=now)
    views = [record for record in records if _passes(record, wanted, watched)]
    shown_views: tuple[ViewRow, ...] = ()
    shown_features: tuple[FeatureRow, ...] = ()
    if wanted.kind == "features":
        features = _features(views, wanted, watched)
        total, shown_features = len(features), _cut(features, wanted.first)
    else:
        found = [record for record in views if _matches(record, wanted.query)]
        total = len(found)
        page = _cut(_sorted(found, wanted.sort, watched), wanted.first)
        shown_views = _view_rows(project, page, watched, now=now)
    names = [record.name for record in records]
    last = wanted.first + PAGE - 1
    return CataloguePage(
        project=project,
        query=wanted.query,
        kind=wanted.kind,
        state=wanted.state,
        owner=wanted.owner,
        sort=wanted.sort,
        total=total,
        first=wanted.first,
        after=str(last + 1) if total > last else "",
        views=shown_views,
        features=shown_features,
        did_you_mean=() if total else tuple(get_close_matches(wanted.query, names, n=3)),
        owners=tuple(sorted({record.view.owner for record in records if record.view.owner})),
        exists=bool(records),
    )


def _passes(record: ViewSummary, wanted: Wanted, watched: Watched) -> bool:
    return wanted.state in ("", watched.state_of(record)) and wanted.owner in ("", record.view.owner or "")


def _matches(record: ViewSummary, query: str) -> bool:
    view = record.view
    told = [record.name, view.description, view.owner or "", *view.entities]
    told += [f"{name}: {value}" for name, value in view.tags.items()]
    return query.lower() in "\n".join(told).lower()


def _sorted(records: Sequence[ViewSummary], sort: str, watched: Watched) -> list[ViewSummary]:
    if sort == "name":
        return sorted(records, key=lambda record: record.name)
    return sorted(records, key=lambda record: (severity(watched.state_of(record)), record.name))


def _cut(rows: Sequence[T], first: int) -> tuple[T, ...]:
    return tuple(rows[first - 1 : first - 1 + PAGE])


def _features(records: Sequence[ViewSummary], wanted: Wanted, watched: Watched) -> list[FeatureRow]:
    query = wanted.query.lower()
    return [
        FeatureRow(
            view=record.name,
            feature=feature.name,
            dtype=feature.dtype.value,
            state=watched.state_of(record),
            description=feature.description,
            owner=record.view.owner or "",
        )
        for record in _sorted(records, wanted.sort, watched)
        for feature in record.view.features
        if query in f"{record.name}:{feature.name}\n{feature.description}".lower()
    ]


def _view_rows(
    project: str, records: Sequence[ViewSummary], watched: Watched, *, now: datetime
) -> tuple[ViewRow, ...]:
    start = now - observations.RATE_WINDOW
    served = observations.sums_by_view(project, start=start, end=now) if records else {}
    minutes = observations.RATE_WINDOW.total_seconds() / 60
    lasts = ingestion.latest_runs([record.id for record in records])
    return tuple(
        ViewRow(
            view=record.name,
            state=watched.state_of(record),
            description=record.view.description,
            entities=record.view.entities,
            owner=record.view.owner or "",
            age=watched.age_of(record.name),
            limit=record.strictest_max_age,
            lanes=record.view.lanes,
            tags=tags_of(record.view),
            features=len(record.view.features),
            lookups_per_minute=served[record.name].requests / minutes if record.name in served else None,
            consumers=consumers_of(record),
            last_run_state=_result(lasts[record.name]) if record.name in lasts else "",
            last_run_at=_moment(lasts[record.name]) if record.name in lasts else None,
        )
        for record in records
    )


def _result(run: RunRecord) -> str:
    return "hollow" if run.hollow else run.state.value


def _moment(run: RunRecord) -> datetime | None:
    return run.ended_at or run.started_at
