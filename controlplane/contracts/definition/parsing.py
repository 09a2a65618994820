"""From a document to a Definition, or to everything that is wrong with it."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeVar

from controlplane.contracts.definition.entities import read_entity
from controlplane.contracts.definition.loading import check_shape
from controlplane.contracts.definition.reading import Fields, Problems
from controlplane.contracts.definition.references import check_references, see_world
from controlplane.contracts.definition.services import read_service
from controlplane.contracts.definition.sources import read_source
from controlplane.contracts.definition.views import read_view
from controlplane.contracts.model import Definition
from controlplane.kernel.names import DEFAULT_STORE


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


def parse(
    document: object,
    *,
    project: str | None = None,
    known: Definition | None = None,
    retire_absent: bool = False,
    foreign_stores: Collection[str] = (),
) -> Definition:
    """Return what the document defines: exactly that, not what is registered beside it.

    ``project``: the one that the caller means; a file that names another is refused, one that names none is
    taken for it. ``known``: the project as it is registered; names resolve there too, unless
    ``retire_absent`` says that what the file leaves out goes. A registered service may go on naming
    features that go. ``foreign_stores``: those that somebody else writes; elsewhere a view needs a lane.
    Raises ``Refused("bad_definition")`` with every problem and its path.
    """
    check_shape(document)
    problems = Problems()
    fields = Fields(document, path="", what="definition file", problems=problems)
    definition = Definition(
        project=_read_project(fields, project=project),
        store=fields.name("store", what="store") if fields.has("store") else None,
        entities=_read_all(fields, "entities", "entity", read_entity),
        sources=_read_all(fields, "sources", "source", read_source),
        feature_views=_read_all(fields, "feature_views", "feature view", read_view),
        feature_services=_read_all(fields, "feature_services", "feature service", read_service),
    )
    kept = None if retire_absent else known
    if (definition.store or (known and known.store) or DEFAULT_STORE) not in foreign_stores:
        _check_lanes(definition, problems=problems)
    version = fields.raw("version")
    if version is not None and (version != 1 or isinstance(version, bool)):
        fields.mistyped("version", "1, the only one there is,")
    fields.done()
    world = see_world(definition, kept=kept, known=known)
    check_references(world, problems=problems)
    problems.raise_any()
    return definition


def _check_lanes(definition: Definition, *, problems: Problems) -> None:
    for index, view in enumerate(definition.feature_views):
        if not view.lanes:
            message = "feature view needs direct: at least one lane: batch, stream or direct"
            problems.add(f"feature_views[{index}].direct", "missing_field", message)


def merge(before: Definition, after: Definition) -> Definition:
    """Return ``before`` with everything that ``after`` defines added or put in its place."""
    return Definition(
        project=before.project,
        store=after.store or before.store,
        entities=_merged(before.entities, after.entities),
        sources=_merged(before.sources, after.sources),
        feature_views=_merged(before.feature_views, after.feature_views),
        feature_services=_merged(before.feature_services, after.feature_services),
    )


def _read_project(fields: Fields, *, project: str | None) -> str:
    if not fields.has("project") and project is not None:
        return project
    named = fields.name("project", what="project")
    if named and project is not None and named != project:
        fields.wrong("project", f"The file is for the project {named}, it was sent to {project}")
    return named


def _read_all(fields: Fields, kind: str, what: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
    items: list[T] = []
    seen: set[str] = set()
    for path, raw in fields.items(kind, expected=f"objects, one for each {what}", required=False):
        item = read(fields.inner(raw, path=path, what=what))
        if item.name and item.name in seen:
            fields.problems.add(f"{path}.name", "duplicate", f"The {what} {item.name} is defined twice")
        seen.add(item.name)
        items.append(item)
    return tuple(items)


def _merged(before: Sequence[T], after: Sequence[T]) -> tuple[T, ...]:
    items = {item.name: item for item in (*before, *after)}
    return tuple(items.values())
