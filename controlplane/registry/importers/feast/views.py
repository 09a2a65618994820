"""Feature views: what one of Feast's promises, said as a view with a contract."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from controlplane.contracts.definition.features import read_feature
from controlplane.contracts.definition.views import read_view
from controlplane.contracts.model import Action, DirectLane, Feature, FeatureView, JoinKey, Terms
from controlplane.kernel.durations import LONGEST, render
from controlplane.registry.importers.feast import records
from controlplane.registry.importers.feast.entities import CannotKey, Entities
from controlplane.registry.importers.feast.naming import LegalNames, described, description, tagged
from controlplane.registry.importers.feast.remarks import Remarks
from controlplane.registry.importers.feast.rules import why_refused
from controlplane.registry.importers.feast.sources import Sources

KIND = "feature_view"
_SECOND = timedelta(seconds=1)


def convert_view(
    found: records.View, *, entities: Entities, sources: Sources | None, teams: LegalNames, remarks: Remarks
) -> FeatureView | None:
    """Return the view, None where it stays behind. Without ``sources`` it gets no lanes: Feast writes it."""
    why = _why_left(found)
    if why is None:
        try:
            keys = entities.keys_of(found)
        except CannotKey as cannot:
            why = cannot.reason
    if why is not None:
        remarks.leave(KIND, found.name, why)
        return None
    inner = Remarks()  # nobody needs to hear of the parts of a view that stays behind
    features = tuple(_features(found, {key.name for key in keys.values()}, inner))
    view = FeatureView(found.name, tuple(keys), features, _terms(found, inner))
    why = _why_nothing_is_left(found) if not features else _why_refused(view)
    if why is not None:
        remarks.leave(KIND, found.name, why)
        return None
    remarks.take(inner)
    if found.org:
        remarks.leave(KIND, found.name, f"org {found.org}: an owner is a team here")
    return _with_lanes(
        replace(
            view,
            entities=entities.carry(keys),
            owner=teams.owner(found, remarks),
            description=described(KIND, found, remarks),
            tags=tagged(KIND, found, remarks),
        ),
        found,
        keys=tuple(keys.values()),
        sources=sources,
    )


def _why_left(found: records.View) -> str | None:
    if found.is_disabled:
        return "it is disabled"
    return None if found.is_online else "it is not served online"


def _why_nothing_is_left(found: records.View) -> str:
    types = sorted({str(column.type) for column in found.features})
    return f"none of its features can be said here; their types are {', '.join(types) or 'none'}"


def _why_refused(view: FeatureView) -> str | None:
    """Ask about what Feast's clients name, which cannot be changed."""
    named = FeatureView(view.name, ("entity",), view.features, view.terms)
    return why_refused(named.to_document(), read_view, what="feature view")


def _features(found: records.View, join_keys: set[str], remarks: Remarks) -> Iterator[Feature]:
    seen: set[str] = set()
    for column in found.features:
        if column.name in join_keys:  # stream views list their join keys once more
            continue
        full_name = f"{found.name}:{column.name}"
        feature = _feature(column)
        if feature is None:
            why: str | None = f"it is of the type {column.type}"
        elif column.name in seen:
            why = "another feature of its view has the same name"
        else:
            why = why_refused(feature.to_document(), read_feature, what="feature")
        if feature is None or why is not None:
            remarks.leave("feature", full_name, why or "")
            continue
        seen.add(column.name)
        if column.tags:
            tags = ", ".join(sorted(column.tags))
            remarks.leave("feature", full_name, f"tags ({tags}): only feature views have tags here")
        if column.is_vector:
            remarks.leave(
                "feature", full_name, "its vector index: nothing is searched here, the list is kept"
            )
        yield replace(feature, description=description("feature", full_name, column.description, remarks))


def _feature(column: records.Column) -> Feature | None:
    dtype = column.type.dtype
    if dtype is None:
        return None
    # Feast keeps and serves whatever number it is given.
    return Feature(column.name, dtype, allow_nan=dtype.is_float, allow_inf=dtype.is_float)


def _terms(found: records.View, remarks: Remarks) -> Terms:
    if found.ttl <= timedelta(0):
        remarks.change(
            KIND, found.name, f"it has no ttl: its max_age is {render(LONGEST)}, the longest there is"
        )
        return Terms(LONGEST, on_stale=Action.SERVE)
    whole = min(-(-found.ttl // _SECOND) * _SECOND, LONGEST)
    if whole != found.ttl:
        remarks.change(
            KIND, found.name, f"its ttl {found.ttl} is max_age {render(whole)}: whole seconds to 3650d"
        )
    return Terms(whole, on_stale=Action.SERVE)


def _with_lanes(
    view: FeatureView, found: records.View, *, keys: tuple[JoinKey, ...], sources: Sources | None
) -> FeatureView:
    if sources is None:
        return view
    batch = sources.batch_lane(found, keys, [feature.name for feature in view.features])
    direct = sources.direct_lane(found)
    # A view needs a lane: what nothing here can read is written by whoever reads it now.
    return replace(view, batch=batch, direct=direct or (None if batch else DirectLane()))
