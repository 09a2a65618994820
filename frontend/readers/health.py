"""Health as monitors judge it at this moment, for the pages of one project."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.registry.selectors import ViewSummary
from frontend.readers.once import once
from frontend.readers.states import consumers_of
from frontend.records.home import Approaching, BrokenGroup, BrokenView, IncidentLine
from frontend.records.view import OpenIncident
from frontend.states import severity
from monitors.selectors.health import ViewNow, views_now
from monitors.selectors.incidents import IncidentSummary, open_incidents

NEAR_ITS_LIMIT = 0.7  # of the maximum age: from here on a view is said to approach it
WELL = frozenset({"fresh", "paused", "no_data"})  # nothing bad is known of these


@dataclass(frozen=True, slots=True)
class Watched:
    """The health of each watched view, and the open incidents by number, roots and children."""

    views: Mapping[str, ViewNow]
    incidents: Mapping[int, IncidentSummary]

    def state_of(self, record: ViewSummary) -> str:
        """Return a view's state; one that nobody watches yet is paused or without data, never fresh."""
        watched = self.views.get(record.name)
        if watched is not None and not record.paused:
            return watched.health.state.value
        return "paused" if record.paused else "no_data"

    def age_of(self, name: str) -> timedelta | None:
        """Return how old the view's oldest keys are, as the last probe saw them."""
        watched = self.views.get(name)
        age = watched.age_s if watched is not None else None
        return None if age is None else timedelta(seconds=age)

    def since_of(self, name: str) -> datetime | None:
        """Return since when the view is in its state."""
        watched = self.views.get(name)
        return watched.health.since if watched is not None else None

    def checked_at(self) -> datetime | None:
        """Return when a view of the project was last probed."""
        return max((one.probed_at for one in self.views.values() if one.probed_at), default=None)

    def root_of(self, name: str) -> IncidentSummary | None:
        """Return the open incident that speaks for the view: its own, or the one that explains it.

        Before one about what a service demands beyond the view's promise.
        """
        own = [one for one in self.incidents.values() if one.view == name]
        own.sort(key=lambda one: one.service != "")
        if not own:
            return None
        return self.incidents.get(own[0].parent or own[0].number, own[0])


def read_health(
    project: str, *, readable: Collection[str] | None, view: str | None = None, now: datetime
) -> Watched:
    """Return what monitors say of the project's views, or of one of them.

    ``readable``: the projects of the person, None for all; a cause that lies elsewhere is not named.
    """
    found = views_now(project, None if view is None else [view], now=now)
    known = [one.known_to(readable) for one in once(open_incidents, project)]
    return Watched(found, {one.number: one for one in known})


def broken_groups(records: Sequence[ViewSummary], watched: Watched, *, most: int) -> tuple[BrokenGroup, ...]:
    """Return the views that are not well, the worst first, those of one cause together."""
    groups: dict[tuple[str, str, str], list[BrokenView]] = {}
    broken = [record for record in records if watched.state_of(record) not in WELL]
    broken.sort(key=lambda record: (severity(watched.state_of(record)), record.name))
    for record in broken[:most]:
        root = watched.root_of(record.name)
        cause, node = (root.cause, root.cause_node) if root else ("", "")
        groups.setdefault((cause, node, "" if cause else record.name), []).append(
            _broken(record, watched, root)
        )
    return tuple(BrokenGroup(cause, node, tuple(views)) for (cause, node, _), views in groups.items())


def count_broken(records: Sequence[ViewSummary], watched: Watched) -> int:
    """Return how many of the views are not well."""
    return sum(watched.state_of(record) not in WELL for record in records)


def approaching(
    records: Sequence[ViewSummary], watched: Watched, *, now: datetime
) -> tuple[Approaching, ...]:
    """Return the fresh views that are near their maximum age, the nearest first."""
    found = []
    for record in records:
        age, limit = watched.age_of(record.name), record.strictest_max_age
        if age is not None and watched.state_of(record) == "fresh" and NEAR_ITS_LIMIT * limit < age <= limit:
            found.append(Approaching(record.name, age, limit, now + (limit - age)))
    return tuple(sorted(found, key=lambda one: one.breach_at))


def incident_lines(watched: Watched) -> tuple[IncidentLine, ...]:
    """Return the open incidents that nothing else explains, newest first."""
    roots = [one for one in watched.incidents.values() if one.parent is None]
    roots.sort(key=lambda one: -one.number)
    return tuple(IncidentLine(one.number, one.title, one.severity, one.state, one.opened_at) for one in roots)


def banner_of(record: ViewSummary, watched: Watched) -> OpenIncident | None:
    """Return the banner of a view with an open incident."""
    root = watched.root_of(record.name)
    if root is None:
        return None
    return OpenIncident(
        number=root.number,
        state=root.state,
        health=watched.state_of(record),
        since=root.opened_at,
        cause=root.cause,
        consumers=1 if root.service else consumers_of(record),
        title=root.title if root.service else "",
        acknowledged_by=root.acknowledged_by,
        acknowledged_at=root.acknowledged_at,
    )


def _broken(record: ViewSummary, watched: Watched, root: IncidentSummary | None) -> BrokenView:
    return BrokenView(
        view=record.name,
        state=watched.state_of(record),
        age=watched.age_of(record.name),
        limit=record.strictest_max_age,
        since=watched.since_of(record.name),
        owner=record.view.owner or "",
        consumers=consumers_of(record),
        incident=root.number if root else None,
        acknowledged_by=root.acknowledged_by if root else "",
    )
