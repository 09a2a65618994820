"""JSON without what Python's reader lets pass: NaN literals, and a key that is given twice in one object."""

import json
from collections import Counter


class TwinKey(ValueError):
    """A key is given twice in one object; which of the two was meant, nobody knows."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} is given twice")
        self.key = key


def read(text: str) -> object:
    """Return the document; ``TwinKey`` or another ``ValueError`` says what is wrong with it.

    Nesting too deep for the interpreter is a ``RecursionError``.
    """
    document: object = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_twins)
    return document


def _refuse_constant(text: str) -> None:
    raise ValueError(f'{text} is no JSON; write it as a string, "{text}"')


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        counted = Counter(key for key, _ in pairs)
        raise TwinKey(next(key for key, times in counted.items() if times > 1))
    return document
