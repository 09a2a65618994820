"""Feature services of a definition file, each by itself."""

import json
from collections.abc import Mapping

from controlplane.contracts.definition.reading import Fields, shown
from controlplane.contracts.definition.terms import read_service_terms
from controlplane.contracts.model import FeatureRef, FeatureService


def read_service(fields: Fields) -> FeatureService:
    max_rejected = fields.share("max_rejected")
    service = FeatureService(
        name=fields.name(),
        features=_read_features(fields),
        terms=read_service_terms(fields),
        max_rejected=1.0 if max_rejected is None else max_rejected,
        owner=fields.optional_name("owner", what="team"),
        description=fields.description(),
        model=fields.optional_text("model"),
        slo=_read_slo(fields),
        aliases=_read_aliases(fields),
    )
    _check_aliases(fields, service=service)
    fields.done()
    return service


def _read_features(fields: Fields) -> tuple[FeatureRef, ...]:
    refs: list[FeatureRef] = []
    seen: set[FeatureRef] = set()
    for path, raw in fields.items("features", expected="features, each as view:feature"):
        view, colon, feature = raw.partition(":") if isinstance(raw, str) else ("", "", "")
        if not (view and colon and feature):
            fields.problems.add(path, "bad_value", f"{shown(raw)} is no feature: view:feature is expected")
            refs.append(FeatureRef("", ""))  # keeps the others at their index
            continue
        ref = FeatureRef(view, feature)
        if ref in seen:
            fields.problems.add(path, "duplicate", f"{ref} is given twice")
        seen.add(ref)
        refs.append(ref)
    return tuple(refs)


def _read_aliases(fields: Fields) -> dict[str, str]:
    raw = fields.texts("aliases", expected="an object of feature views and what they are called")
    for view, alias in raw.items():
        fields.checked_name(alias, path=f"{fields.at('aliases')}.{view}", what="feature view")
    return raw


def _check_aliases(fields: Fields, *, service: FeatureService) -> None:
    """Every alias is of a view that the service reads, and nothing else there has the name."""
    read = {ref.view for ref in service.features}
    for view in sorted(set(service.aliases) - read):
        path = f"{fields.at('aliases')}.{view}"
        fields.problems.add(path, "unknown_reference", f"the service reads nothing of {view}")
    called = [service.aliases.get(view, view) for view in sorted(read)]
    for twice in sorted({name for name in called if called.count(name) > 1}):
        fields.problems.add(fields.at("aliases"), "duplicate", f"two views are called {twice}")


def _read_slo(fields: Fields) -> Mapping[str, object] | None:
    raw = fields.raw("slo")
    if raw is None:
        return None
    if not isinstance(raw, Mapping):
        fields.mistyped("slo", "an object, as {target: 99.5, window: 28d}")
        return None
    try:
        json.dumps(raw, allow_nan=False)
    except ValueError:
        fields.mistyped("slo", "an object of texts and finite numbers")
        return None
    return dict(raw)
