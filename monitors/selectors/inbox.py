"""The inbox: a project's problems a page at a time, in as many queries for one as for fifty."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, QuerySet

from monitors.domain.incidents import SEVERITY_ORDER, IncidentState, Severity
from monitors.models import OPEN, Incident, Notification, Silence, ViewWatch
from monitors.selectors.affected import Hit
from monitors.selectors.silences import silence_on, silences_at

PAGE = 50
# Somebody has it, or nobody is told: neither waits for a person as what is open does.
TABS = ("open", "acknowledged", "silenced", "resolved", "all")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. ``after``: only what comes after that place of the same tab."""

    tab: str = "open"
    severity: str = ""
    owner: str = ""
    after: "Place | None" = None


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an incident stands in a list: the worst first where somebody may have to act, then the newest."""

    rank: int
    minus_number: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A root with its views, whom it hits, what silences it, and the last notification of each channel."""

    incident: Incident
    views: tuple[str, ...]
    hits: tuple[Hit, ...]
    silence: Silence | None
    notifications: tuple[Notification, ...]


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page of one tab. ``after``: the place that the next page comes after, None on the last."""

    counts: Mapping[str, int]
    problems: tuple[Problem, ...]
    owners: tuple[str, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class Watching:
    """How many views are watched, and when one was last probed: proof that silence is real."""

    views: int
    probed_at: datetime | None


def read_inbox(project: str, wanted: Wanted, *, now: datetime) -> Inbox:
    """Return the page that is asked for."""
    roots = Incident.objects.filter(project=project, parent=None)
    unfinished = list(roots.filter(state__in=OPEN).order_by("-number"))
    rules = [row for row in silences_at(now) if row.project in ("", project)]
    silenced = {row.pk: found for row in unfinished if (found := silence_on(rules, row, at=now))}
    kept = [row for row in unfinished if _passes(row, wanted)]
    tabs = {tab: [row for row in kept if _tab_of(row, silenced) == tab] for tab in TABS[:3]}
    counts = {tab: len(rows) for tab, rows in tabs.items()}
    counts["resolved"] = _narrowed(roots.filter(state=IncidentState.RESOLVED), wanted).count()
    counts["all"] = len(kept) + counts["resolved"]
    if wanted.tab in tabs:
        page = sorted(tabs[wanted.tab], key=_place_of)
        page = [row for row in page if wanted.after is None or _place_of(row) > wanted.after]
    else:
        page = _from_database(roots, wanted)
    shown = page[:PAGE]
    return Inbox(
        counts=counts,
        problems=_problems(shown, silenced),
        owners=tuple(
            sorted({row.owner for row in (*unfinished, *shown) if row.owner} | {wanted.owner} - {""})
        ),
        after=_place_of(shown[-1]) if len(page) > PAGE else None,
    )


def watching(project: str) -> Watching:
    """Return how much of the project is watched."""
    found = ViewWatch.objects.filter(project=project, paused=False).aggregate(
        views=Count("pk"), probed_at=Max("probed_at")
    )
    return Watching(found["views"], found["probed_at"])


def _place_of(row: Incident) -> Place:
    return Place(SEVERITY_ORDER[Severity(row.severity)], -row.number)


def _tab_of(row: Incident, silenced: Mapping[int, Silence]) -> str:
    return "silenced" if row.pk in silenced else row.state


def _passes(row: Incident, wanted: Wanted) -> bool:
    return wanted.severity in ("", row.severity) and wanted.owner in ("", row.owner)


def _narrowed(rows: QuerySet[Incident], wanted: Wanted) -> QuerySet[Incident]:
    asked = {"severity": wanted.severity, "owner": wanted.owner}
    return rows.filter(**{name: value for name, value in asked.items() if value})


def _from_database(roots: QuerySet[Incident], wanted: Wanted) -> list[Incident]:
    rows = _narrowed(roots, wanted)
    if wanted.tab == "resolved":
        rows = rows.filter(state=IncidentState.RESOLVED)
    if wanted.after is not None:  # told by the number alone: what is over has no rank
        rows = rows.filter(number__lt=-wanted.after.minus_number)
    return list(rows.order_by("-number")[: PAGE + 1])


def _problems(rows: Iterable[Incident], silenced: Mapping[int, Silence]) -> tuple[Problem, ...]:
    rows = list(rows)
    if not rows:
        return ()
    families = {row.pk: [row] for row in rows}
    children = Incident.objects.filter(parent__in=rows).order_by("number")
    for child in children.only("parent_id", "state", "view", "subject"):
        # Of a problem that is still open, the views that are well again are no longer part.
        if child.parent_id and (child.state in OPEN or families[child.parent_id][0].state not in OPEN):
            families[child.parent_id].append(child)
    last: dict[int, dict[int, Notification]] = defaultdict(dict)
    told = Notification.objects.filter(incident__in=rows).select_related("channel").defer("body")
    for row in told.order_by("sequence", "pk"):
        last[row.incident_id][row.channel_id] = row
    return tuple(
        Problem(
            incident=row,
            views=tuple(dict.fromkeys(one.view for one in families[row.pk] if one.view)),
            hits=tuple(Hit(one.view, one.service) for one in families[row.pk] if one.view),
            silence=silenced.get(row.pk),
            notifications=tuple(sorted(last[row.pk].values(), key=lambda one: one.channel.name)),
        )
        for row in rows
    )
