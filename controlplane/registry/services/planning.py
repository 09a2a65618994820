"""Say what a definition would change, for whom, before anything is changed."""

from datetime import datetime, timedelta

from controlplane.accounts.selectors import team_exists
from controlplane.contracts import definition
from controlplane.contracts.compatibility import Change, Level, compare
from controlplane.contracts.model import Definition
from controlplane.observations import selectors as observations
from controlplane.registry import selectors
from controlplane.registry.domain.plans import (
    Plan,
    PlannedChange,
    created,
    owners,
    plan_digest,
    values_affected,
)

RECORDED_SINCE = timedelta(hours=1)


def plan_definition(project: str, document: object, *, now: datetime, retire_absent: bool = False) -> Plan:
    """Return what applying ``document`` (a parsed definition file) to ``project`` would do.

    ``retire_absent``: what the file leaves out is retired; else it stays. Raises ``Refused`` with every
    problem of the file.
    """
    before = selectors.find_definition(project)
    file = definition.parse(document, project=project, known=before, retire_absent=retire_absent)
    return make_plan(before, after=file if retire_absent else definition.merge(before, file), now=now)


def make_plan(before: Definition, *, after: Definition, now: datetime) -> Plan:
    """Return the plan that leads a whole project from ``before`` to ``after``."""
    after = _sorted(after)
    is_new_project = not selectors.project_exists(before.project)
    changes = [created("project", before.project, "it does not exist yet")] if is_new_project else []
    changes += [
        created("team", owner, "it owns something and does not exist yet; it has no members")
        for owner in owners(after)
        if not team_exists(owner)
    ]
    changes += compare(before, after)
    counted = _Recorded(before, after, now=now)
    return Plan(
        project=before.project,
        is_new_project=is_new_project,
        before=before,
        after=after,
        changes=tuple(PlannedChange(change, counted.affected(change)) for change in changes),
        digest=plan_digest(before.project, before, after),
    )


class _Recorded:
    """Counts what lookups asked for in the last hour."""

    def __init__(self, before: Definition, after: Definition, *, now: datetime) -> None:
        self._project = before.project
        self._before = {view.name: view for view in before.feature_views}
        self._after = {view.name: view for view in after.feature_views}
        self._start, self._end = now - RECORDED_SINCE, now + timedelta(minutes=1)

    def affected(self, change: Change) -> int:
        if change.level is Level.COMPATIBLE:
            return 0
        if change.kind == "feature_service":
            return observations.service_values(self._project, change.name, start=self._start, end=self._end)
        before = self._before.get(change.name) if change.kind == "feature_view" else None
        if before is None:
            return 0
        return values_affected(
            before,
            self._after.get(change.name),
            served=observations.sums(self._project, change.name, start=self._start, end=self._end),
            by_feature=observations.feature_sums(
                self._project, change.name, start=self._start, end=self._end
            ),
        )


def _sorted(definition: Definition) -> Definition:
    """Return the same project in the order in which it is kept and exported: by name."""
    return Definition(
        project=definition.project,
        entities=tuple(sorted(definition.entities, key=lambda each: each.name)),
        sources=tuple(sorted(definition.sources, key=lambda each: each.name)),
        feature_views=tuple(sorted(definition.feature_views, key=lambda each: each.name)),
        feature_services=tuple(sorted(definition.feature_services, key=lambda each: each.name)),
    )
