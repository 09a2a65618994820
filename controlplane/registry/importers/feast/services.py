"""Feature services: the features that a model asks for."""

from collections.abc import Iterable, Iterator, Mapping

from controlplane.contracts.definition.services import read_service
from controlplane.contracts.model import FeatureRef, FeatureService, FeatureView
from controlplane.registry.importers.feast import records
from controlplane.registry.importers.feast.naming import LegalNames, described, is_legal, leave_tags
from controlplane.registry.importers.feast.remarks import Remarks
from controlplane.registry.importers.feast.rules import why_refused

KIND = "feature_service"


def convert_service(
    found: records.Service, *, views: Mapping[str, FeatureView], teams: LegalNames, remarks: Remarks
) -> FeatureService | None:
    """Return the service, None where it stays behind; ``views`` are those that are carried over."""
    inner = Remarks()
    refs = tuple(dict.fromkeys(_refs(found, views, inner)))
    service = FeatureService(found.name, refs, aliases=_aliases(found, refs, inner))
    why = _why_empty(inner) if not refs else None
    why = why or why_refused(service.to_document(), read_service, what="feature service")
    if why is not None:
        remarks.leave(KIND, found.name, why)
        return None
    remarks.take(inner)
    leave_tags(KIND, found.name, found.tags, remarks)
    if found.is_logged:
        remarks.leave(KIND, found.name, "its logging: serving reports lookups to the control plane instead")
    if found.is_precomputed:
        remarks.leave(KIND, found.name, "its precomputed vector: features are read each by its view")
    return FeatureService(
        found.name,
        refs,
        aliases=service.aliases,
        owner=teams.owner(found, remarks),
        description=described(KIND, found, remarks),
    )


def _why_empty(inner: Remarks) -> str:
    return "; ".join(["none of its features is carried over", *(remark.reason for remark in inner.left)])


def _refs(found: records.Service, views: Mapping[str, FeatureView], remarks: Remarks) -> Iterator[FeatureRef]:
    for projection in found.projections:
        view = views.get(projection.view)
        why = _why_left(projection, view)
        if why is not None or view is None:
            remarks.leave(KIND, found.name, f"features of {projection.view}: {why}")
            continue
        lost = [name for name in projection.features if view.feature(name) is None]
        if lost:
            told = f"features of {projection.view}: {', '.join(lost)} are not carried over"
            remarks.leave(KIND, found.name, told)
        yield from (FeatureRef(view.name, name) for name in projection.features if name not in lost)


def _aliases(found: records.Service, refs: Iterable[FeatureRef], remarks: Remarks) -> dict[str, str]:
    """Return what the service calls its views otherwise: each view one name, and each name one view."""
    read = dict.fromkeys(ref.view for ref in refs)
    called = {name: name for name in read}
    for projection in found.projections:
        view, alias = projection.view, projection.alias
        if view not in read or alias in ("", called[view]):
            continue
        if not is_legal(alias) or called[view] != view or alias in called.values():
            told = f"{view} is called {called[view]}, not {alias}: a name is of one view, and legal"
            remarks.change(KIND, found.name, told)
            continue
        called[view] = alias
    return {view: alias for view, alias in called.items() if alias != view}


def _why_left(projection: records.Projection, view: FeatureView | None) -> str | None:
    if view is None:
        return "the view is not carried over"
    if projection.join_keys:
        renamed = ", ".join(f"{old} as {new}" for old, new in sorted(projection.join_keys.items()))
        return f"they are asked for under other join keys ({renamed})"
    if projection.version is not None:
        return f"the service asks for version {projection.version} of the view; there is the current one here"
    return None
