"""The contract tab: the promise in words, its versions, and what differs between two of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from controlplane.contracts.compatibility import ChangeAction, compare
from controlplane.contracts.definition import parse, write_yaml
from controlplane.contracts.model import Definition, Feature
from controlplane.registry import selectors as registry
from controlplane.registry.selectors import ContractRecord, ServingInstance, ViewSummary
from frontend.records.view import Comparison, ContractTab, Difference, Promise, Version

_NOT_FIELDS = ("join_keys", "features", "freshness")


def read_contract(record: ViewSummary, *, older: int | None, newer: int | None, now: datetime) -> ContractTab:
    """Return the tab; two numbers ask for the comparison. ``NotFound`` for a version that never was."""
    contracts = registry.list_contracts(record.project, record.name)
    serving = registry.serving_instances(since=now - registry.GONE_AFTER)
    terms = record.view.terms
    comparison = None
    if older is not None and newer is not None:
        pair = [
            registry.find_contract(record.project, record.name, number) for number in sorted((older, newer))
        ]
        comparison = compare_contracts(*pair)
    current = contracts[0]
    return ContractTab(
        number=record.contract_number,
        max_age=terms.max_age,
        warn_after=terms.warn_after,
        enforcement=record.view.enforcement.value,
        promises=tuple(_promise(feature, record) for feature in record.view.features),
        text=_text(current),
        versions=_versions(contracts, serving),
        comparison=comparison,
    )


def compare_contracts(before: ContractRecord, after: ContractRecord) -> Comparison:
    """Return what differs, object by object, judged as an apply judges it."""
    old, new = _sayings(before.document), _sayings(after.document)
    names = list(dict.fromkeys([*old, *new]))
    level, _ = judge(before, after)
    differences = [
        Difference(name, old.get(name, ""), new.get(name, ""), _level_of(name, before, after) or level)
        for name in names
        if old.get(name) != new.get(name)
    ]
    return Comparison(
        older=before.number,
        newer=after.number,
        differences=tuple(differences),
        unchanged=len(names) - len(differences),
        older_text=_text(before),
        newer_text=_text(after),
    )


def judge(before: ContractRecord, after: ContractRecord) -> tuple[str, tuple[str, ...]]:
    """Return the level of going from one contract to the other, and the reasons."""
    return _judge(before.document, after.document)


def _judge(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, tuple[str, ...]]:
    changes = compare(_definition(before), _definition(after))
    found = [change for change in changes if change.action is not ChangeAction.NONE]
    level = max((change.level for change in found), default=None, key=lambda level: level.severity)
    reasons = tuple(dict.fromkeys(reason for change in found for reason in change.reasons))
    return (level.value if level else "", reasons)


def _level_of(name: str, before: ContractRecord, after: ContractRecord) -> str:
    """Return the level of one difference alone: the old contract with only that one changed."""
    old, new = dict(before.document), dict(after.document)
    if name in old.keys() | new.keys():
        mixed = {**old, name: new[name]} if name in new else {k: v for k, v in old.items() if k != name}
    else:
        features = {str(feature["name"]): feature for feature in _features(old)}
        wanted = {str(feature["name"]): feature for feature in _features(new)}
        features.pop(name, None)
        kept = [*features.values(), *([wanted[name]] if name in wanted else [])]
        if not kept:
            return ""
        mixed = {**old, "features": kept}
    return _judge(old, mixed)[0]


def _definition(document: Mapping[str, object]) -> Definition:
    """Wrap a contract into the smallest project that holds it, as the rules of change read projects."""
    promise = {name: value for name, value in document.items() if name != "join_keys"}
    return parse(
        {
            "version": 1,
            "project": "contract",
            "entities": [{"name": "key", "join_keys": document["join_keys"]}],
            "feature_views": [{"name": "view", "entities": ["key"], "direct": True, **promise}],
        }
    )


def _features(document: Mapping[str, object]) -> list[Mapping[str, object]]:
    features = document["features"]
    assert isinstance(features, list)
    return features


def _sayings(document: Mapping[str, object]) -> dict[str, str]:
    """Return each thing that a contract says, by subject, in words."""
    keys, freshness = document["join_keys"], document["freshness"]
    assert isinstance(keys, list)
    assert isinstance(freshness, dict)
    said = {"join_keys": ", ".join(f"{key['name']} {key['dtype']}" for key in keys)}
    said["freshness"] = ", ".join(f"{name} {value}" for name, value in sorted(freshness.items()))
    said |= {name: str(value) for name, value in document.items() if name not in _NOT_FIELDS}
    for feature in _features(document):
        rest = {name: value for name, value in feature.items() if name not in ("name", "dtype", "nullable")}
        null = "may be null" if feature.get("nullable", True) else "never null"
        words = [str(feature["dtype"]), null, *(f"{name} {value}" for name, value in sorted(rest.items()))]
        said[str(feature["name"])] = ", ".join(words)
    return said


def _promise(feature: Feature, record: ViewSummary) -> Promise:
    terms = record.view.terms
    document = feature.to_document()
    return Promise(
        feature=feature.name,
        dtype=feature.dtype.value,
        nullable=feature.nullable,
        allowed=_domain(feature),
        default=str(document.get("default", "")),
        on_stale=terms.on_stale.value,
        on_missing=terms.on_missing.value,
        on_invalid=terms.on_invalid.value,
    )


def _domain(feature: Feature) -> str:
    words = []
    if feature.minimum is not None and feature.maximum is not None:
        words.append(f"{feature.minimum} to {feature.maximum}")
    elif feature.minimum is not None:
        words.append(f"at least {feature.minimum}")
    elif feature.maximum is not None:
        words.append(f"at most {feature.maximum}")
    if feature.allowed is not None:
        words.append("one of " + ", ".join(str(value) for value in feature.allowed))
    if feature.max_length is not None:
        words.append(f"at most {feature.max_length} long")
    if feature.pattern is not None:
        words.append(f"matches {feature.pattern}")
    if feature.min_items is not None:
        words.append(f"at least {feature.min_items} items")
    if feature.max_items is not None:
        words.append(f"at most {feature.max_items} items")
    return ", ".join(words)


def _versions(contracts: Sequence[ContractRecord], serving: Sequence[ServingInstance]) -> tuple[Version, ...]:
    judged = [judge(before, after) for after, before in pairwise(contracts)]
    # Serving processes acknowledge bundles; those on the current one have the newest contract.
    loaded = current_loaded(serving) if serving else None
    versions = []
    for index, contract in enumerate(contracts):
        level, reasons = judged[index] if index < len(judged) else ("", ())
        newest = index == 0 and loaded is not None
        versions.append(
            Version(
                number=contract.number,
                created_at=contract.created_at,
                author=contract.created_by,
                level=level,
                reasons=reasons,
                loaded_by=loaded if newest else None,
                serving_processes=len(serving) if newest else None,
            )
        )
    return tuple(versions)


def current_loaded(serving: Sequence[ServingInstance]) -> int:
    """Return how many serving processes run the newest bundle."""
    digest = registry.current_bundle_digest()
    return sum(instance.bundle_digest == digest for instance in serving)


def _text(contract: ContractRecord) -> str:
    return write_yaml(dict(contract.document))
