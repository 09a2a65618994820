"""JSON without what Python's reader lets pass: NaN literals, and a key that is given twice in one object."""

import json
import sys
from collections import Counter


class NotJson(ValueError):
    """What JSON does not know, or nobody reads; the text says what, and what to write instead."""


class TwinKey(NotJson):
    """A key is given twice in one object; which of the two was meant, nobody knows."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} is given twice")
        self.key = key


def read(text: str) -> object:
    """Return the document; ``TwinKey`` or another ``ValueError`` says what is wrong with it.

    Nesting too deep for the interpreter is a ``RecursionError``.
    """
    try:
        document: object = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_twins)
    except (json.JSONDecodeError, NotJson):
        raise
    except ValueError as wrong:  # in words for programmers in Python
        raise NotJson(f"a number has more than {sys.get_int_max_str_digits():,} digits") from wrong
    return document


def _refuse_constant(text: str) -> None:
    raise NotJson(f'{text} is no JSON; write it as a string, "{text}"')


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        counted = Counter(key for key, _ in pairs)
        raise TwinKey(next(key for key, times in counted.items() if times > 1))
    return document
