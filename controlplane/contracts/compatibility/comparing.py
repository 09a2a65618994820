"""From two definitions of a project to the list of changes between them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from controlplane.contracts.compatibility.findings import Finding, Level, Uses, breaking, compatible, names_of
from controlplane.contracts.compatibility.services import (
    compare_services,
    judge_demands,
    judge_retired_service,
)
from controlplane.contracts.compatibility.views import compare_views, judge_retired_view
from controlplane.contracts.model import (
    Definition,
    Document,
    Entity,
    FeatureService,
    FeatureView,
    Source,
)
from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.names import DEFAULT_STORE


class ChangeAction(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    RETIRE = "retire"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one object. ``kind``: entity, source, feature_view, feature_service or project;
    ``consumers``: the feature services that it hits, by name."""

    kind: str
    name: str
    action: ChangeAction
    level: Level
    reasons: tuple[str, ...]
    consumers: tuple[str, ...]


class _Object(Protocol):
    @property
    def name(self) -> str: ...
    def to_document(self) -> Document: ...


T = TypeVar("T", bound=_Object)


def compare(before: Definition, after: Definition) -> list[Change]:
    """Return what happens to every object of either, in the order of the file, retired ones last.

    Both are whole projects; an object that stays as it is has the action ``none``.
    """
    uses = Uses(after)
    views = {view.name: view for view in after.feature_views}

    def changed_view(old: FeatureView, new: FeatureView) -> Iterable[Finding]:
        keys_before, keys_after = _join_keys(before, old), _join_keys(after, new)
        return compare_views(old, new, keys_before=keys_before, keys_after=keys_after, uses=uses)

    def changed_service(old: FeatureService, new: FeatureService) -> Iterable[Finding]:
        # What an unchanged service demands was told when it was declared.
        return [] if old == new else [*compare_services(old, new), *judge_demands(new, views=views)]

    return [
        *_changes(
            "entity",
            before.entities,
            after.entities,
            changed=lambda old, new: _compare_entities(old, new, after=after, uses=uses),
        ),
        *_changes("source", before.sources, after.sources, changed=_compare_fields),
        *_changes(
            "feature_view",
            before.feature_views,
            after.feature_views,
            changed=changed_view,
            retired=lambda view: judge_retired_view(view, uses=uses),
        ),
        *_changes(
            "feature_service",
            before.feature_services,
            after.feature_services,
            created=lambda service: judge_demands(service, views=views),
            changed=changed_service,
            retired=judge_retired_service,
        ),
    ]


def compare_stores(before: Definition, after: Definition) -> list[Change]:
    """Return the change of an existing project that moves to another store: no row moves with it."""
    if before.store == after.store:
        return []
    old, new = before.store or DEFAULT_STORE, after.store or DEFAULT_STORE
    if not before.feature_views:
        finding = compatible(f"its rows will live in the store {new}; it has none yet")
    else:
        finding = breaking(
            f"moves from the store {old} to {new}: rows do not move, every value is missing until its lanes"
            f" have written again; what {old} holds stays there",
            names_of(before.feature_services),
        )
    return [_change("project", before.project, ChangeAction.CHANGE, [finding])]


def _nothing(_: object) -> Iterable[Finding]:
    return ()


def _changes(
    kind: str,
    before: Sequence[T],
    after: Sequence[T],
    *,
    changed: Callable[[T, T], Iterable[Finding]],
    created: Callable[[T], Iterable[Finding]] = _nothing,
    retired: Callable[[T], Iterable[Finding]] = _nothing,
) -> Iterable[Change]:
    former = {item.name: item for item in before}
    staying = {item.name for item in after}
    for item in after:
        old = former.get(item.name)
        if old is None:
            yield _change(kind, item.name, ChangeAction.CREATE, created(item))
            continue
        findings = list(changed(old, item))
        # A view may change without a word of its own: by the join keys of its entity.
        same = not findings and old.to_document() == item.to_document()
        if not same and not findings:
            findings.append(compatible("listed in another order"))
        yield _change(kind, item.name, ChangeAction.NONE if same else ChangeAction.CHANGE, findings)
    for item in before:
        if item.name not in staying:
            yield _change(kind, item.name, ChangeAction.RETIRE, retired(item))


def _change(kind: str, name: str, action: ChangeAction, findings: Iterable[Finding]) -> Change:
    found = list(findings)
    return Change(
        kind=kind,
        name=name,
        action=action,
        level=max((each.level for each in found), key=lambda level: level.severity, default=Level.COMPATIBLE),
        reasons=tuple(each.reason for each in found),
        consumers=tuple(sorted({consumer for each in found for consumer in each.consumers})),
    )


def _join_keys(definition: Definition, view: FeatureView) -> dict[str, Dtype]:
    return {
        key.name: key.dtype
        for entity in definition.entities
        if entity.name in view.entities
        for key in entity.join_keys
    }


def _compare_entities(old: Entity, new: Entity, *, after: Definition, uses: Uses) -> Iterable[Finding]:
    if set(old.join_keys) != set(new.join_keys):
        views = [view.name for view in after.feature_views if new.name in view.entities]
        users = sorted({name for view in views for name in names_of(uses.of_view(view))})
        if views:
            yield breaking(f"join keys changed under {', '.join(views)}", users)
        else:
            yield compatible("join keys changed, no view has them")
    yield from _compare_fields(old, new, ignored=("join_keys",))


def _compare_fields(
    old: Entity | Source, new: Entity | Source, *, ignored: Sequence[str] = ()
) -> Iterable[Finding]:
    before, after = old.to_document(), new.to_document()
    for field in dict.fromkeys([*before, *after]):
        if field not in ignored and before.get(field) != after.get(field):
            yield compatible(f"{field} changed")
