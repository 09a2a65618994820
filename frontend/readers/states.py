"""What is known of a view from the registry alone."""

from controlplane.contracts.model import FeatureView
from controlplane.registry.selectors import ViewSummary


def consumers_of(record: ViewSummary) -> int:
    """Return how many feature services and models read the view."""
    models = {reader.service.model for reader in record.readers if reader.service.model}
    return len(record.readers) + len(models)


def tags_of(view: FeatureView) -> tuple[str, ...]:
    """Return the tags as one writes them: ``domain: weather``, or the name alone without a value."""
    return tuple(f"{name}: {value}" if value else name for name, value in sorted(view.tags.items()))
