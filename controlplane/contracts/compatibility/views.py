"""What a change of one feature view means."""

from collections.abc import Iterable, Mapping

from controlplane.contracts.compatibility.domains import compare_domains
from controlplane.contracts.compatibility.findings import (
    Finding,
    Uses,
    breaking,
    compatible,
    in_force,
    names_of,
    risky,
)
from controlplane.contracts.model import Action, Feature, FeatureService, FeatureView
from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.durations import render

JoinKeys = Mapping[str, Dtype]

_ACTIONS = ("on_stale", "on_missing", "on_invalid")
# What a reader of a view never notices.
_QUIET = ("owner", "description", "tier", "runbook", "tags", "expire_after")


def compare_views(
    before: FeatureView, after: FeatureView, *, keys_before: JoinKeys, keys_after: JoinKeys, uses: Uses
) -> list[Finding]:
    users = uses.of_view(after.name)
    findings: list[Finding] = []
    if keys_before != keys_after:
        told = f"join keys changed from {_keys(keys_before)} to {_keys(keys_after)}"
        findings.append(breaking(told, names_of(users)))
    findings += _compare_features(before, after, uses=uses)
    findings += _compare_ages(before, after, users=users)
    for name in _ACTIONS:
        findings += _compare_action(name, before, after, users=users)
    if before.enforcement is not after.enforcement:
        told = f"enforcement changed from {before.enforcement} to {after.enforcement}"
        findings.append(risky(told, names_of(users)))
    findings += _compare_lanes(before, after, users=users)
    findings += [
        compatible(f"{field} changed") for field in _QUIET if getattr(before, field) != getattr(after, field)
    ]
    return findings


def judge_retired_view(view: FeatureView, *, uses: Uses) -> list[Finding]:
    users = uses.of_view(view.name)
    if users:
        return [breaking(f"{view.name} is retired while it is used", names_of(users))]
    return [risky(f"{view.name} is retired: lookups that name its features themselves will fail")]


def _keys(keys: JoinKeys) -> str:
    return ", ".join(f"{name} {dtype}" for name, dtype in sorted(keys.items())) or "none"


def _compare_features(before: FeatureView, after: FeatureView, *, uses: Uses) -> Iterable[Finding]:
    for old in before.features:
        users = uses.of_feature(after.name, old.name)
        new = after.feature(old.name)
        if new is None:
            yield _if_used(users, f"feature {old.name} is removed")
        elif new.dtype is not old.dtype:
            yield _if_used(users, f"feature {old.name} changes its type from {old.dtype} to {new.dtype}")
        else:
            yield from _compare_feature(old, new, views=(before, after), users=users)
    for new in after.features:
        if before.feature(new.name) is None:
            yield compatible(f"feature {new.name} is added")


def _if_used(users: list[FeatureService], what: str) -> Finding:
    if users:
        return breaking(f"{what} while it is used", names_of(users))
    return risky(f"{what}: no service uses it, lookups that name it themselves may")


def _compare_feature(
    old: Feature, new: Feature, *, views: tuple[FeatureView, FeatureView], users: list[FeatureService]
) -> Iterable[Finding]:
    wider, narrower = compare_domains(old, new)
    if wider:
        told = f"feature {old.name} is widened: {'; '.join(wider)}"
        rejecting = [each for each in users if _rejects_invalid(each, views=views)]
        others = [each for each in users if each not in rejecting]
        if rejecting:
            yield breaking(f"{told}; values that were rejected come through", names_of(rejecting))
        if others or not users:
            yield (risky if others else compatible)(told, names_of(others))
    if narrower:
        told = f"feature {old.name} is narrowed: {'; '.join(narrower)}; stored values may violate it"
        yield risky(told, names_of(users))
    # NaN differs from itself; its repr does not.
    if repr(old.default) != repr(new.default):
        yield risky(
            f"the default of {old.name} changes from {old.default!r} to {new.default!r}", names_of(users)
        )
    if old.bins != new.bins:
        yield compatible(f"the bins of {old.name} changed: its values are counted anew")
    if old.description != new.description:
        yield compatible(f"the description of {old.name} changed")


def _rejects_invalid(service: FeatureService, *, views: tuple[FeatureView, FeatureView]) -> bool:
    """Return whether the service was or is promised that no invalid value comes through."""
    return any(in_force(view, service.terms).on_invalid is Action.REJECT for view in views)


def _compare_ages(
    before: FeatureView, after: FeatureView, *, users: list[FeatureService]
) -> Iterable[Finding]:
    old, new = before.terms.max_age, after.terms.max_age
    if new > old:
        told = f"max_age is loosened from {render(old)} to {render(new)}"
        demanding = [each for each in users if each.terms.max_age is not None and each.terms.max_age < new]
        inheriting = [each for each in users if each.terms.max_age is None]
        if demanding:
            ages = ", ".join(
                f"{each.name} {render(each.terms.max_age)}" for each in demanding if each.terms.max_age
            )
            yield breaking(f"{told}, beyond what is demanded ({ages})", names_of(demanding))
        if inheriting:
            yield risky(f"{told} for services that take the view's", names_of(inheriting))
        if not demanding and not inheriting:
            yield compatible(told)
    if new < old:
        inheriting = [each for each in users if each.terms.max_age is None]
        told = f"max_age is tightened from {render(old)} to {render(new)}: values may be stale sooner"
        yield risky(told, names_of(inheriting))
    if before.terms.warn_after != after.terms.warn_after:
        yield compatible("warn_after changed")


def _compare_action(
    name: str, before: FeatureView, after: FeatureView, *, users: list[FeatureService]
) -> Iterable[Finding]:
    old, new = getattr(before.terms, name), getattr(after.terms, name)
    if old is not new:
        inheriting = [each for each in users if getattr(each.terms, name) is None]
        yield risky(f"{name} changes from {old} to {new}", names_of(inheriting))


def _compare_lanes(
    before: FeatureView, after: FeatureView, *, users: list[FeatureService]
) -> Iterable[Finding]:
    for lane in ("batch", "stream", "direct"):
        old, new = getattr(before, lane), getattr(after, lane)
        if old == new:
            continue
        if new is None:
            told = f"the {lane} lane is removed: nothing keeps its rows fresh"
            yield risky(told, names_of(users))
        else:
            yield compatible(f"the {lane} lane is {'added' if old is None else 'changed'}")
