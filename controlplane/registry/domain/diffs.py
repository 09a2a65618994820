"""What differs between two versions of a contract, by path."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """``before`` or ``after`` is None where the path says nothing in that version."""

    path: str
    before: object
    after: object


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return what differs between two contract documents: features and join keys are compared by name
    (``features.flights_1d.min``), and by their order (``features``) when that alone differs."""
    return list(_differences(_by_name(before), _by_name(after), path=""))


def _by_name(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _by_name(below) for name, below in value.items()}
    if isinstance(value, Sequence) and value and all(isinstance(v, Mapping) and "name" in v for v in value):
        return {item["name"]: item for item in value}
    return value


def _differences(before: object, after: object, *, path: str) -> Iterator[Difference]:
    if before == after and not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        yield Difference(path, before, after)
        return
    for name in dict.fromkeys([*before, *after]):
        below = f"{path}.{name}" if path else name
        yield from _differences(before.get(name), after.get(name), path=below)
    if path in ("features", "join_keys") and set(before) == set(after) and list(before) != list(after):
        yield Difference(path, list(before), list(after))
