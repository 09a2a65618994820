"""Text that databases keep (no zero character, no half of a surrogate pair), and text that people see."""

import re
import unicodedata
from collections.abc import Iterator

_UNSTORABLE = re.compile("[\\0\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def is_storable(text: str) -> bool:
    """Whether every character of the text can be kept."""
    return _UNSTORABLE.search(text) is None


def visible(text: str) -> str:
    """Return what a person wrote without its margins and control characters; line ends and tabs stay."""
    return storable("".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")).strip()


def storable(text: str) -> str:
    """Return the text with each character that cannot be kept replaced by U+FFFD."""
    return _UNSTORABLE.sub(REPLACEMENT, text)


def storable_document(document: object) -> object:
    """Return the JSON document with every text in it, names of members included, made storable.

    The document itself when nothing in it needs that. Of two names that become one, the later one stays.
    """
    return _clean(document) if next(unstorable_paths(document), None) is not None else document


def unstorable_paths(document: object, *, path: str = "") -> Iterator[str]:
    """Yield where in the JSON document (``a.b[2]``) a text stands that cannot be kept."""
    if isinstance(document, str):
        if not is_storable(document):
            yield path
    elif isinstance(document, list):
        for index, item in enumerate(document):
            yield from unstorable_paths(item, path=f"{path}[{index}]")
    elif isinstance(document, dict):
        for name, value in document.items():
            inner = f"{path}.{storable(name)}" if path else storable(name)
            if not is_storable(name):
                yield inner
            yield from unstorable_paths(value, path=inner)


def _clean(document: object) -> object:
    if isinstance(document, str):
        return storable(document)
    if isinstance(document, list):
        return [_clean(item) for item in document]
    if isinstance(document, dict):
        return {storable(name): _clean(value) for name, value in document.items()}
    return document
