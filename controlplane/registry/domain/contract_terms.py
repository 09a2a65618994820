"""What of a view is its contract, and what of it is its layout."""

from collections.abc import Iterable

from controlplane.contracts.model import FeatureView, JoinKey
from controlplane.registry.domain import canonical
from store_adapters import Column, Layout
from store_adapters.layout_json import dump_columns


def contract_document(view: FeatureView, join_keys: Iterable[JoinKey]) -> dict[str, object]:
    """Return the promise alone: join keys, features, terms, enforcement. Descriptions, owners, tags and lanes
    promise nothing, so changing them makes no new version."""
    features = []
    for feature in view.features:
        document = feature.to_document()
        document.pop("description", None)
        features.append(document)
    return {
        "join_keys": [key.to_document() for key in join_keys],
        "features": features,
        **view.terms.to_document(),
        "enforcement": view.enforcement.value,
    }


def contract_text(view: FeatureView, join_keys: Iterable[JoinKey]) -> str:
    """Return the contract as canonical JSON: a new version is made when this text changes."""
    return canonical.dump(contract_document(view, join_keys))


def layout_columns(view: FeatureView) -> str:
    """Return the columns of the view's rows as the store keeps them: names and dtypes, in order."""
    return dump_columns(Layout(1, tuple(Column(f.name, f.dtype) for f in view.features)))
