"""A project of a registry, said as a definition file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from controlplane.contracts.model import Definition
from controlplane.kernel.errors import Refused
from controlplane.registry.importers.feast import records
from controlplane.registry.importers.feast.entities import Entities
from controlplane.registry.importers.feast.naming import LegalNames
from controlplane.registry.importers.feast.records import Registry, Thing
from controlplane.registry.importers.feast.remarks import Remark, Remarks
from controlplane.registry.importers.feast.services import convert_service
from controlplane.registry.importers.feast.sources import Sources
from controlplane.registry.importers.feast.views import convert_view

T = TypeVar("T", bound=Thing)


@dataclass(frozen=True, slots=True)
class Imported:
    """A definition, what it leaves of Feast's project, and what it says differently."""

    definition: Definition
    feast_project: str
    left: tuple[Remark, ...]
    changed: tuple[Remark, ...]


def convert(
    registry: Registry, feast_project: str, *, project: str, store: str | None, is_written_by_feast: bool
) -> Imported:
    """Return Feast's project as the definition of ``project`` in ``store``.

    Of a store that Feast writes the project is only read: its views have no lanes.
    """
    mine = _of_project(registry, feast_project)
    remarks = Remarks()
    teams = LegalNames((thing.owner for thing in _owned(mine) if thing.owner), what="team")
    entities = Entities(mine.entities, teams, remarks)
    sources = None if is_written_by_feast else Sources(_sources_of(mine), teams, remarks)
    views = {}
    for found in sorted(mine.views, key=lambda each: each.name):
        view = convert_view(found, entities=entities, sources=sources, teams=teams, remarks=remarks)
        if view is not None:
            views[view.name] = view
    services = [
        convert_service(found, views=views, teams=teams, remarks=remarks)
        for found in sorted(mine.services, key=lambda each: each.name)
    ]
    definition = Definition(
        project=project,
        store=store,
        entities=entities.carried(),
        sources=sources.carried() if sources else (),
        feature_views=tuple(views.values()),
        feature_services=tuple(service for service in services if service),
    )
    _remark_on_the_rest(mine, remarks, reads_sources=not is_written_by_feast)
    return Imported(definition, feast_project, remarks.left, remarks.changed)


def choose_project(registry: Registry, *, named: str | None, project: str) -> str:
    """Return the project of Feast's that is meant: the one ``named``, else the one of the same name as
    ours, else the only one. ``Refused`` where that is none."""
    names = registry.project_names
    if named is None:
        named = project if project in names or len(names) != 1 else names[0]
    if named not in names:
        there = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        raise Refused("unknown_reference", f"The registry has no project {named!r}; there is {there}")
    return named


def _of_project(registry: Registry, name: str) -> Registry:
    return Registry(
        projects=tuple(each for each in registry.projects if each.name == name),
        entities=_first_of_each_name(registry.entities, name),
        sources=_first_of_each_name(registry.sources, name),
        views=_first_of_each_name(registry.views, name),
        services=_first_of_each_name(registry.services, name),
        foreign=tuple(each for each in registry.foreign if each.project == name),
    )


def _first_of_each_name(things: Iterable[T], project: str) -> tuple[T, ...]:
    """Return the project's; Feast itself writes no two of one name, and reads the first."""
    found: dict[str, T] = {}
    for each in things:
        if each.project == project:
            found.setdefault(each.name, each)
    return tuple(found.values())


def _owned(mine: Registry) -> Iterator[Thing]:
    yield from mine.entities
    yield from mine.views
    yield from mine.services
    yield from _sources_of(mine)


def _sources_of(mine: Registry) -> Iterator[records.Source]:
    """Yield every source, those that stand only in a view included."""
    yield from mine.sources
    for view in mine.views:
        yield from filter(None, (view.batch_source, view.stream_source))


def _remark_on_the_rest(mine: Registry, remarks: Remarks, *, reads_sources: bool) -> None:
    for each in mine.projects:
        said = [what for what, text in (("description", each.description), ("owner", each.owner)) if text]
        said += ["tags"] if each.tags else []
        if said:
            remarks.leave("project", each.name, f"{', '.join(said)}: a project has a name only here")
    for foreign in mine.foreign:
        remarks.leave(foreign.kind, foreign.name, foreign.reason)
    if mine.sources and not reads_sources:
        told = "Feast goes on filling the store, so nothing is read from its sources here"
        remarks.leave("sources", f"{len(mine.sources)} of them", told)
    told = "when objects were made and what was materialised when stays Feast's; health is judged anew"
    remarks.leave("history", "all of it", told)
