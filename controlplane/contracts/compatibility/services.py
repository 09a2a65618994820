"""What a change of one feature service means: for itself, and for the views that it reads."""

from collections.abc import Iterable, Mapping

from controlplane.contracts.compatibility.findings import Finding, compatible, risky
from controlplane.contracts.model import FeatureService, FeatureView
from controlplane.kernel.durations import render

_TERMS = ("max_age", "on_stale", "on_missing", "on_invalid")
_QUIET = ("owner", "description", "model", "slo")


def compare_services(before: FeatureService, after: FeatureService) -> Iterable[Finding]:
    own = (after.name,)
    for ref in before.features:
        if ref not in after.features:
            yield risky(f"{ref} is no longer answered", own)
    for ref in after.features:
        if ref not in before.features:
            yield compatible(f"{ref} is added", own)
    for name in _TERMS:
        if getattr(before.terms, name) != getattr(after.terms, name):
            yield risky(f"{name} changed", own)
    if before.max_rejected != after.max_rejected:
        yield risky(f"max_rejected changes from {before.max_rejected} to {after.max_rejected}", own)
    if before.aliases != after.aliases:
        yield risky("aliases changed: full feature names are others", own)
    for field in _QUIET:
        if getattr(before, field) != getattr(after, field):
            yield compatible(f"{field} changed")


def judge_demands(service: FeatureService, *, views: Mapping[str, FeatureView]) -> Iterable[Finding]:
    """Tell where the service demands more than a view promises: those breaches are its owner's."""
    demanded = service.terms.max_age
    if demanded is None:
        return
    for name in dict.fromkeys(ref.view for ref in service.features):
        view = views.get(name)
        if view is not None and demanded < view.terms.max_age:
            yield risky(
                f"{service.name} demands a max_age of {render(demanded)}, younger than the"
                f" {render(view.terms.max_age)} that {name} promises: breaches go to its own owner",
                (service.name,),
            )


def judge_retired_service(service: FeatureService) -> Iterable[Finding]:
    yield risky(f"{service.name} is retired: lookups that name it will fail", (service.name,))
