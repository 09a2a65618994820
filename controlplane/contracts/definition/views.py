"""Feature views of a definition file, each by itself; ``references`` checks them against the others."""

from collections import Counter

from controlplane.contracts.definition.features import read_feature
from controlplane.contracts.definition.lanes import read_batch, read_direct, read_stream
from controlplane.contracts.definition.reading import Fields
from controlplane.contracts.definition.terms import read_terms
from controlplane.contracts.model import Action, Enforcement, FeatureView, Terms, Tier
from controlplane.contracts.schedules import longest_gap
from controlplane.kernel.durations import render

ACTIONS = ("on_stale", "on_missing", "on_invalid")


def read_view(fields: Fields) -> FeatureView:
    name = fields.name()
    view = FeatureView(
        name=name,
        entities=_read_entities(fields),
        features=tuple(
            read_feature(fields.inner(raw, path=path, what="feature"))
            for path, raw in fields.items("features", expected="features, each {name, dtype, ...}")
        ),
        terms=read_terms(fields),
        owner=fields.optional_name("owner", what="team"),
        description=fields.description(),
        tier=fields.choice("tier", Tier) or Tier.SILVER,
        runbook=_read_runbook(fields),
        tags=fields.texts("tags", expected="an object of texts"),
        enforcement=fields.choice("enforcement", Enforcement) or Enforcement.ENFORCE,
        expire_after=fields.optional_duration("expire_after"),
        batch=read_batch(fields.child("batch", what="batch lane")) if fields.has("batch") else None,
        stream=read_stream(fields.child("stream", what="stream lane")) if fields.has("stream") else None,
        direct=read_direct(fields),
    )
    _check_features(fields, view=view)
    _check_schedule(fields, view=view)
    fields.done()
    return view


def default_actions(terms: Terms) -> list[str]:
    """Return the names of the actions that are ``default``."""
    return [name for name in ACTIONS if getattr(terms, name) is Action.DEFAULT]


def _read_entities(fields: Fields) -> tuple[str, ...]:
    named: list[str] = []
    for path, raw in fields.items("entities", expected="names of entities"):
        name = fields.checked_name(raw, path=path, what="entity")
        if name and name in named:
            fields.problems.add(path, "duplicate", f"{name} is given twice")
        named.append(name)
    return tuple(named)


def _read_runbook(fields: Fields) -> str | None:
    runbook = fields.optional_text("runbook")
    if runbook is not None and not runbook.startswith(("https://", "http://")):
        fields.mistyped("runbook", "an address that starts with https:// or http://")
        return None
    return runbook


def _check_features(fields: Fields, *, view: FeatureView) -> None:
    counts = Counter(feature.name for feature in view.features)
    seen: set[str] = set()
    defaulting = default_actions(view.terms)
    for index, feature in enumerate(view.features):
        path = f"{fields.at('features')}[{index}]"
        if feature.name and counts[feature.name] > 1 and feature.name in seen:
            fields.problems.add(
                f"{path}.name", "duplicate", f"{view.name} has two features named {feature.name}"
            )
        seen.add(feature.name)
        if defaulting and feature.default is None and not _declares_default(fields, index):
            fields.problems.add(
                f"{path}.default",
                "default_missing",
                f"{defaulting[0]}: default can reach {feature.name or 'it'}, which declares no default",
            )


def _declares_default(fields: Fields, index: int) -> bool:
    """Return whether the file gives a default, be it one of a wrong type, which was told already."""
    raw = fields.raw("features")
    item = raw[index] if isinstance(raw, list) else None
    return isinstance(item, dict) and item.get("default") is not None


def _check_schedule(fields: Fields, *, view: FeatureView) -> None:
    if view.batch is None or view.batch.schedule is None:
        return
    gap = longest_gap(view.batch.schedule, view.batch.timezone)
    if gap > view.terms.max_age:
        fields.problems.add(
            fields.at("batch.schedule"),
            "unsatisfiable",
            f"{view.batch.schedule!r} can leave {render(gap)} between two runs,"
            f" longer than max_age {render(view.terms.max_age)}: values would go stale on schedule",
        )
