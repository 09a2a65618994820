"""Say what a definition would change, for whom, before anything is changed."""

from dataclasses import replace
from datetime import datetime, timedelta

from controlplane.accounts.selectors import team_exists
from controlplane.contracts import definition
from controlplane.contracts.compatibility import Change, Level, compare, compare_stores
from controlplane.contracts.model import Definition, FeatureView
from controlplane.kernel import names
from controlplane.observations import selectors as observations
from controlplane.registry import selectors
from controlplane.registry.domain.plans import (
    Plan,
    PlannedChange,
    created,
    join_keys_of,
    owners,
    plan_digest,
    values_affected,
)
from controlplane.registry.services.guarding import (
    foreign_stores,
    refuse_hostile,
    refuse_unknown_store,
    refuse_unwritable,
)

RECORDED_SINCE = timedelta(hours=1)


def plan_definition(project: str, document: object, *, now: datetime, retire_absent: bool = False) -> Plan:
    """Return what applying ``document`` (a parsed definition file) to ``project`` would do.

    ``retire_absent``: what the file leaves out is retired; else it stays. Raises ``Refused`` with every
    problem of the file.
    """
    names.check(project, what="project")
    before = selectors.find_definition(project)
    file = definition.parse(
        document,
        project=project,
        known=before,
        retire_absent=retire_absent,
        foreign_stores=foreign_stores(),
    )
    refuse_hostile(file)
    refuse_unknown_store(file)
    # Where a project lives is no object that a file could leave out.
    alone = replace(file, store=file.store or before.store)
    return make_plan(before, after=alone if retire_absent else definition.merge(before, file), now=now)


def make_plan(before: Definition, *, after: Definition, now: datetime) -> Plan:
    """Return the plan that leads a whole project from ``before`` to ``after``."""
    after = _sorted(after)
    refuse_unwritable(before, after)
    is_new_project = not selectors.project_exists(before.project)
    changes = [created("project", before.project, "it does not exist yet")] if is_new_project else []
    changes += [
        created("team", owner, "it owns something and does not exist yet; it has no members")
        for owner in owners(after)
        if not team_exists(owner)
    ]
    if not is_new_project:
        changes += compare_stores(before, after)
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
        self._before = before
        self._after = after
        self._start, self._end = now - RECORDED_SINCE, now + timedelta(minutes=1)

    def affected(self, change: Change) -> int:
        if change.level is Level.COMPATIBLE:
            return 0
        if change.kind == "feature_service":
            return observations.service_values(self._project, change.name, start=self._start, end=self._end)
        before = _view(self._before, change.name) if change.kind == "feature_view" else None
        if before is None:
            return 0
        after = _view(self._after, change.name)
        keys_before = join_keys_of(self._before, before)
        return values_affected(
            before,
            after,
            is_rekeyed=after is not None and join_keys_of(self._after, after) != keys_before,
            served=observations.sums(self._project, change.name, start=self._start, end=self._end),
            by_feature=observations.feature_sums(
                self._project, change.name, start=self._start, end=self._end
            ),
        )


def _view(whole: Definition, name: str) -> FeatureView | None:
    return next((view for view in whole.feature_views if view.name == name), None)


def _sorted(definition: Definition) -> Definition:
    """Return the same project as it is kept and exported: by name, the default store unsaid."""
    return Definition(
        project=definition.project,
        store=None if definition.store == names.DEFAULT_STORE else definition.store,
        entities=tuple(sorted(definition.entities, key=lambda each: each.name)),
        sources=tuple(sorted(definition.sources, key=lambda each: each.name)),
        feature_views=tuple(sorted(definition.feature_views, key=lambda each: each.name)),
        feature_services=tuple(sorted(definition.feature_services, key=lambda each: each.name)),
    )
