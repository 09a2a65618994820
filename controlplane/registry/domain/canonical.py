"""Documents as canonical text: the same meaning is the same bytes, and the same digest."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def dump(document: object) -> str:
    """Return canonical JSON: sorted keys, no spaces, as it is spoken (no escapes beyond JSON's own)."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def load(text: str) -> Mapping[str, Any]:
    """Return the document."""
    document: Mapping[str, Any] = json.loads(text)
    return document


def digest(text: str) -> str:
    """Return the SHA-256 of canonical text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()
