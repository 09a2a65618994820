"""Finding a field in the payload of an event: dotted paths into nested objects."""

from collections.abc import Mapping

from controlplane.contracts.model import DeleteWhen


def at_path(document: Mapping[str, object], path: str) -> object:
    """Return what lies at a dotted path, None when nothing does.

    A key that itself contains dots wins over the nested reading of it.
    """
    if path in document:
        return document[path]
    found: object = document
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def is_delete(document: Mapping[str, object], rule: DeleteWhen | None) -> bool:
    """Return whether the event is a delete. ``1`` and ``true`` are different things in JSON."""
    if rule is None:
        return False
    found = at_path(document, rule.field)
    return type(found) is type(rule.equals) and found == rule.equals
