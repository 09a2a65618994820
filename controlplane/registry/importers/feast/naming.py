"""Names and texts of Feast's, made such as may stand in a definition file."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from controlplane.contracts.definition.reading import MAX_TEXT
from controlplane.kernel import names
from controlplane.kernel.errors import Refused
from controlplane.kernel.text import is_storable, storable
from controlplane.registry.importers.feast.records import Thing
from controlplane.registry.importers.feast.remarks import Remarks

_NOT_OURS = re.compile("[^a-z0-9]+")


class LegalNames:
    """A legal name of our own for each of several texts, no two alike.

    For what no client asks for by its name, that is entities, sources and teams; the others keep theirs.
    """

    def __init__(self, texts: Iterable[str], *, what: str) -> None:
        self._what = what
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()
        self._numbers: defaultdict[str, int] = defaultdict(lambda: 1)
        # Who has a legal name keeps it, whatever the others would like to become.
        for text in sorted(set(texts), key=lambda text: (not is_legal(text), text)):
            self._names[text] = self._free(text)
            self._taken.add(self._names[text])

    def at(self, text: str) -> str:
        """Return the name."""
        return self._names[text]

    def of(self, text: str, remarks: Remarks) -> str:
        """Return the name; it is remarked on where it is another than Feast's."""
        name = self.at(text)
        if name != text:
            remarks.change(
                self._what, text, f"it is called {name} here: names are lower case letters, digits, _"
            )
        return name

    def owner(self, thing: Thing, remarks: Remarks) -> str | None:
        """Return the team that owns ``thing``, None where nobody does."""
        return self.of(thing.owner, remarks) if thing.owner else None

    def _free(self, text: str) -> str:
        wishes = (text if is_legal(text) else "", _near(text.partition("@")[0]), _near(text))
        free = next((wish for wish in wishes if wish and wish not in self._taken), None)
        stem = (_near(text) or self._what)[: names.MAX_LENGTH - 8]
        while free is None or free in self._taken:
            self._numbers[stem] += 1
            free = f"{stem}_{self._numbers[stem]}"
        return free


def is_legal(name: str) -> bool:
    """Return whether a definition file may hold the name."""
    try:
        names.check(name, what="object")
    except Refused:
        return False
    return True


def _near(text: str) -> str:
    """Return the nearest legal name, "" where there is none near."""
    words = _NOT_OURS.sub("_", text.lower()).lstrip("0123456789_")
    return words[: names.MAX_LENGTH].rstrip("_")


def described(kind: str, thing: Thing, remarks: Remarks) -> str:
    """Return the description, such as can be kept."""
    return description(kind, thing.name, thing.description, remarks)


def description(kind: str, name: str, text: str, remarks: Remarks) -> str:
    if not text.strip():
        return ""
    kept = storable(text)[:MAX_TEXT]
    if kept != text:
        remarks.change(kind, name, f"its description is kept up to {MAX_TEXT} characters, without NUL")
    return kept


def tagged(kind: str, thing: Thing, remarks: Remarks) -> dict[str, str]:
    """Return the tags that have a value."""
    kept = {key: value for key, value in thing.tags.items() if value and is_storable(key + value)}
    for key in sorted(thing.tags.keys() - kept):
        remarks.leave(kind, thing.name, f"tag {key}: it has no value that can be kept")
    return kept


def leave_tags(kind: str, name: str, tags: Mapping[str, str], remarks: Remarks) -> None:
    """Remark on the tags of what has no tags here."""
    if tags:
        remarks.leave(kind, name, f"tags ({', '.join(sorted(tags))}): only feature views have tags here")
