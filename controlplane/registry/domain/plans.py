"""What applying a definition would do, and how many recorded lookups it would hit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controlplane.contracts.compatibility import Change, ChangeAction, Level
from controlplane.contracts.model import Definition, FeatureView, JoinKey
from controlplane.kernel.names import DEFAULT_STORE
from controlplane.observations.domain.sums import Counts, ServedSums
from controlplane.registry.domain import canonical, stored


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One line of a plan. ``recorded_lookups_affected`` counts values that lookups asked for in the last hour
    and that the change may alter; 0 where it is compatible."""

    change: Change
    recorded_lookups_affected: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """``digest`` names what was found and what is wanted: the same digest later means that nothing changed
    in between. ``after`` is the whole project as it would be."""

    project: str
    is_new_project: bool
    before: Definition
    after: Definition
    changes: tuple[PlannedChange, ...]
    digest: str

    @property
    def breaking(self) -> list[Change]:
        return [planned.change for planned in self.changes if planned.change.level is Level.BREAKING]

    @property
    def moves_to(self) -> str | None:
        """The store to which an existing project moves; None when it stays."""
        if self.is_new_project or self.before.store == self.after.store:
            return None
        return self.after.store or DEFAULT_STORE

    @property
    def is_empty(self) -> bool:
        return all(planned.change.action is ChangeAction.NONE for planned in self.changes)

    @property
    def new_teams(self) -> list[str]:
        return [planned.change.name for planned in self.changes if planned.change.kind == "team"]


def created(kind: str, name: str, reason: str) -> Change:
    """Return the line of something that is made along with the definition."""
    return Change(kind, name, ChangeAction.CREATE, Level.COMPATIBLE, (reason,), ())


def join_keys_of(whole: Definition, view: FeatureView) -> tuple[JoinKey, ...]:
    """Return the join keys that the view's entities give it."""
    return stored.join_keys([entity for entity in whole.entities if entity.name in view.entities])


def plan_digest(project: str, before: Definition, after: Definition) -> str:
    """Return the digest of what is there and what is wanted."""
    return canonical.digest(canonical.dump([project, before.to_document(), after.to_document()]))


def owners(definition: Definition) -> list[str]:
    """Return every team that the definition names as an owner, sorted."""
    owned: Iterable[str | None] = [
        *(entity.owner for entity in definition.entities),
        *(source.owner for source in definition.sources),
        *(view.owner for view in definition.feature_views),
        *(service.owner for service in definition.feature_services),
    ]
    return sorted({owner for owner in owned if owner})


def values_affected(
    before: FeatureView,
    after: FeatureView | None,
    *,
    is_rekeyed: bool,
    served: ServedSums,
    by_feature: Mapping[str, Counts],
) -> int:
    """Return how many of the recorded values a change of the view may alter.

    All of them when the view retires or its join keys change; else those of the features that were changed
    or removed, or those that are older than a tightened max age, whichever are more.
    """
    if after is None or is_rekeyed:
        return served.total_values
    touched = sum(sum(by_feature.get(name, {}).values()) for name in _changed_features(before, after))
    too_old = 0
    if after.terms.max_age < before.terms.max_age:
        too_old = round(served.total_values * (served.share_over(after.terms.max_age) or 0))
    return max(touched, too_old)


def _changed_features(before: FeatureView, after: FeatureView) -> list[str]:
    wanted = {feature.name: feature.to_document() for feature in after.features}
    return [f.name for f in before.features if wanted.get(f.name) != f.to_document()]
