"""The health of views, judged when it is read: a watcher that died turns it to no data by itself."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from controlplane.kernel import clock
from controlplane.kernel.errors import NotFound
from controlplane.observations import selectors as observations
from controlplane.observations.selectors import ProbeResult
from monitors.domain import health
from monitors.domain.health import Health, HealthState
from monitors.domain.kinds import Kind
from monitors.domain.states import is_overdue
from monitors.models import OPEN, Incident, Monitor, ViewWatch
from monitors.selectors.stored import config_from, config_of, reading_of


@dataclass(frozen=True, slots=True)
class ViewHealth:
    """A view's health with its three ages, its monitors and its open incidents (roots and children).

    ``served_age_s``: age of the oldest keys (95th percentile) at the last probe; ``source_age_s``: by lane,
    how far the watermark lies back now.
    """

    project: str
    view: str
    owner: str
    tier: str
    health: Health
    is_learning: bool
    served_age_s: float | None
    source_age_s: dict[str, float]
    probe: ProbeResult | None
    probed_at: datetime | None
    incidents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ViewNow:
    """A view's health with the age that its monitor last saw, and what that monitor allows."""

    view: str
    health: Health
    age_s: float | None
    limit_s: float | None
    runbook: str
    probed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ViewState:
    """A view's state and nothing else."""

    project: str
    view: str
    state: HealthState


def health_of(watch: ViewWatch, *, now: datetime) -> Health:
    """Return the health of a watched view, from the monitors of the view itself."""
    own = [row for row in watch.monitors.all() if not row.service]
    return health.judge(
        [reading_of(row) for row in own], paused=watch.paused, learning=watch.is_learning, now=now
    )


def views_now(project: str, views: Iterable[str] | None = None, *, now: datetime) -> dict[str, ViewNow]:
    """Return the health of some views (None: all) in one query; those without a monitor are left out."""
    rows = Monitor.objects.filter(project=project, service="").select_related("watch")
    if views is not None:
        rows = rows.filter(view__in=list(views))
    monitors: dict[str, list[Monitor]] = defaultdict(list)
    for row in rows.defer("watch__remembered_keys", "watch__probe_cursor").order_by("pk"):
        monitors[row.view].append(row)
    return {view: _view_now(found, now=now) for view, found in monitors.items()}


def _view_now(rows: list[Monitor], *, now: datetime) -> ViewNow:
    watch = rows[0].watch
    age = next((row for row in rows if row.kind == Kind.SERVED_AGE), None)
    return ViewNow(
        view=watch.view,
        health=health.judge(
            [reading_of(row) for row in rows],
            paused=watch.paused,
            learning=watch.is_learning,
            now=now,
        ),
        age_s=age.value if age else None,
        limit_s=config_of(age).limits.limit if age else None,
        runbook=watch.runbook,
        probed_at=watch.probed_at,
    )


def all_health(*, now: datetime) -> list[ViewState]:
    """Return the state of every watched view of every project."""
    rows = ViewWatch.objects.prefetch_related("monitors")
    return [ViewState(row.project, row.view, health_of(row, now=now).state) for row in rows]


def states_of(views: Collection[tuple[str, str]], *, now: datetime) -> dict[tuple[str, str], HealthState]:
    """Return the states of some views, each (project, name); one that is not watched is left out."""
    if not views:
        return {}
    named = Q()
    for project, view in views:
        named |= Q(project=project, view=view)
    rows = ViewWatch.objects.filter(named).prefetch_related("monitors")
    return {(row.project, row.view): health_of(row, now=now).state for row in rows}


def project_health(project: str, *, now: datetime) -> list[ViewHealth]:
    """Return the health of every watched view of a project, the worst first."""
    rows = list(ViewWatch.objects.filter(project=project).prefetch_related("monitors").order_by("view"))
    found = _view_healths(project, rows, now=now)
    return sorted(found, key=lambda one: (health.SEVERITY.index(one.health.state), one.view))


def view_health(project: str, view: str, *, now: datetime) -> ViewHealth:
    """Return the health of one view; ``NotFound`` when it is not watched (yet)."""
    rows = list(ViewWatch.objects.filter(project=project, view=view).prefetch_related("monitors"))
    if not rows:
        raise NotFound("not_found", f"No monitor watches {project}/{view} yet.")
    return _view_healths(project, rows, now=now)[0]


def _view_healths(project: str, rows: Iterable[ViewWatch], *, now: datetime) -> list[ViewHealth]:
    rows = list(rows)
    if not rows:
        return []
    since = min((row.probed_at for row in rows if row.probed_at), default=now)
    probes = observations.latest_probes(project, since=since)
    incidents: dict[str, list[int]] = {}
    for number, view in Incident.objects.filter(project=project, state__in=OPEN).values_list(
        "number", "view"
    ):
        incidents.setdefault(view, []).append(number)
    found = []
    for row in rows:
        probe = probes.get(row.view)
        age = probe.age_p95.total_seconds() if probe and probe.age_p95 is not None else None
        found.append(
            ViewHealth(
                project=project,
                view=row.view,
                owner=row.owner,
                tier=row.tier,
                health=health_of(row, now=now),
                is_learning=row.is_learning,
                served_age_s=age,
                source_age_s=_source_ages(row, now=now),
                probe=probe,
                probed_at=row.probed_at,
                incidents=tuple(sorted(incidents.get(row.view, ()))),
            )
        )
    return found


def _source_ages(row: ViewWatch, *, now: datetime) -> dict[str, float]:
    now_us = clock.to_us(now)
    return {lane: max(0, now_us - us) / 1_000_000 for lane, us in sorted(row.watermarks.items())}


def monitors_due(*, now: datetime) -> QuerySet[Monitor]:
    """Return the monitors that wait for their evaluation: among them are those that are overdue."""
    return Monitor.objects.filter(paused=False, watch__paused=False, due_at__lt=now)


def is_monitor_overdue(kind: str, config: Mapping[str, object], heard_at: datetime, *, now: datetime) -> bool:
    """Whether nobody evaluated a monitor for three of its intervals, told from its stored columns."""
    return is_overdue(config_from(kind, config).timing, heard_at, now=now)
