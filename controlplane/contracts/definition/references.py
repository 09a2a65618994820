"""Whether what a definition names exists and fits: the checks that need more than one object."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controlplane.contracts.definition.reading import Problems
from controlplane.contracts.definition.views import default_actions
from controlplane.contracts.model import (
    Definition,
    Entity,
    FeatureRef,
    FeatureService,
    FeatureView,
    Source,
    SourceKind,
)
from controlplane.kernel.dtypes import Dtype

_BATCH_KINDS = (SourceKind.PARQUET, SourceKind.CSV, SourceKind.SQL)


@dataclass(frozen=True, slots=True)
class World:
    """Everything that will be defined once the file is applied.

    ``named``: what each registered service asks for. It may go on asking for what is retired now or was
    before: that is for the comparison to judge, and a retired feature answers missing.
    ``paths`` leads from (list of the file, name) to the place in the file; what is not in the file but was
    registered earlier has none.
    """

    entities: Mapping[str, Entity]
    sources: Mapping[str, Source]
    views: Mapping[str, FeatureView]
    services: Mapping[str, FeatureService]
    named: Mapping[str, frozenset[FeatureRef]]
    paths: Mapping[tuple[str, str], str]

    def path(self, kind: str, name: str) -> str:
        return self.paths.get((kind, name), f"{kind}.{name}")


def see_world(file: Definition, *, kept: Definition | None, known: Definition | None) -> World:
    """``known``: the project as it is registered; ``kept``: what of it stays beside the file."""
    parts = [kept, file] if kept else [file]
    lists: dict[str, Iterable[Entity | Source | FeatureView | FeatureService]] = {
        "entities": file.entities,
        "sources": file.sources,
        "feature_views": file.feature_views,
        "feature_services": file.feature_services,
    }
    return World(
        entities={each.name: each for part in parts for each in part.entities},
        sources={each.name: each for part in parts for each in part.sources},
        views={each.name: each for part in parts for each in part.feature_views},
        services={each.name: each for part in parts for each in part.feature_services},
        named={each.name: frozenset(each.features) for each in (known.feature_services if known else ())},
        paths={
            (kind, each.name): f"{kind}[{index}]"
            for kind, items in lists.items()
            for index, each in reversed(list(enumerate(items)))
        },
    )


def check_references(world: World, *, problems: Problems) -> None:
    for view in world.views.values():
        path = world.path("feature_views", view.name)
        join_keys = _check_entities(world, view, path=path, problems=problems)
        for index, feature in enumerate(view.features):
            if feature.name and feature.name in join_keys:
                problems.add(
                    f"{path}.features[{index}].name",
                    "reserved_name",
                    f"{feature.name} is a join key of {view.name}, so it cannot name a feature of it too",
                )
        _check_lanes(world, view, join_keys=join_keys, path=path, problems=problems)
    for service in world.services.values():
        _check_service(world, service, problems=problems)


def _check_entities(world: World, view: FeatureView, *, path: str, problems: Problems) -> dict[str, Dtype]:
    """Return the view's join keys with their types."""
    join_keys: dict[str, Dtype] = {}
    for index, name in enumerate(view.entities):
        entity = world.entities.get(name)
        if entity is None:
            if name:
                _unknown(problems, f"{path}.entities[{index}]", "entity", name, world.entities)
            continue
        for key in entity.join_keys:
            if join_keys.setdefault(key.name, key.dtype) is not key.dtype:
                problems.add(
                    f"{path}.entities[{index}]",
                    "bad_dtype",
                    f"{name} types the join key {key.name} as {key.dtype}, another entity of {view.name}"
                    f" as {join_keys[key.name]}",
                )
    return join_keys


def _check_lanes(
    world: World, view: FeatureView, *, join_keys: Mapping[str, Dtype], path: str, problems: Problems
) -> None:
    if view.batch:
        one = len(view.batch.sources) == 1
        for index, name in enumerate(view.batch.sources):
            place = f"{path}.batch.source" if one else f"{path}.batch.sources[{index}]"
            _check_source(world, name, kinds=_BATCH_KINDS, path=place, problems=problems)
    if view.stream:
        kinds = (SourceKind.STREAM,)
        _check_source(world, view.stream.source, kinds=kinds, path=f"{path}.stream.source", problems=problems)
        columns = {*join_keys, *(feature.name for feature in view.features)}
        for name in view.stream.fields:
            if name not in columns:
                _unknown(problems, f"{path}.stream.fields.{name}", "feature or join key", name, columns)
    if view.direct and view.direct.source:
        kinds = (SourceKind.PUSH,)
        _check_source(world, view.direct.source, kinds=kinds, path=f"{path}.direct.source", problems=problems)


def _check_source(
    world: World, name: str, *, kinds: tuple[SourceKind, ...], path: str, problems: Problems
) -> None:
    source = world.sources.get(name)
    if source is None:
        if name:
            _unknown(problems, path, "source", name, world.sources)
    elif source.kind not in kinds:
        allowed = " or ".join(kinds)
        problems.add(path, "bad_value", f"{name} is a {source.kind} source; this lane reads {allowed}")


def _check_service(world: World, service: FeatureService, *, problems: Problems) -> None:
    path = world.path("feature_services", service.name)
    for index, ref in enumerate(service.features):
        place = f"{path}.features[{index}]"
        view = world.views.get(ref.view)
        feature = view.feature(ref.feature) if view else None
        if view is None or feature is None:
            if not ref.view or ref in world.named.get(service.name, ()):
                continue
            if view is None:
                _unknown(problems, place, "feature view", ref.view, world.views)
            else:
                _unknown(
                    problems, place, f"feature of {view.name}", ref.feature, [f.name for f in view.features]
                )
            continue
        # What the view's own terms can reach was checked with the view.
        own = [
            name
            for name in default_actions(view.terms.under(service.terms))
            if getattr(service.terms, name) is not None
        ]
        if own and feature.default is None and not default_actions(view.terms):
            problems.add(
                place,
                "default_missing",
                f"{own[0]}: default of {service.name} can reach {ref}, which declares no default",
            )


def _unknown(problems: Problems, path: str, kind: str, name: str, known: Iterable[str]) -> None:
    listed = sorted(each for each in known if each)
    shown = ", ".join(listed[:10]) + (", ..." if len(listed) > 10 else "")
    problems.add(path, "unknown_reference", f"There is no {kind} {name}; there is {shown or 'none at all'}")
