"""Names of projects, entities, sources, views, features, services, teams and stores."""

import re

from controlplane.kernel.errors import Refused

MAX_LENGTH = 63
# The store that STORE_URL names; FRESHLINE_STORES names others.
DEFAULT_STORE = "default"
_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,62}")


def check(name: object, *, what: str) -> str:
    """Return ``name`` if it may name a ``what``; else ``Refused``."""
    if isinstance(name, str) and _PATTERN.fullmatch(name):
        return name
    raise Refused(
        "bad_name",
        f"{name!r} cannot name a {what}: lower case letters, digits and underscores,"
        f" starting with a letter, at most {MAX_LENGTH} characters",
    )
