"""Reading the fields of one object of a definition file, collecting what is wrong with them.

Every reader answers a usable placeholder after a problem, so that one reading finds every problem; nothing
that was built from placeholders leaves ``parse``, because ``Problems.raise_any`` comes first.
"""

import difflib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from controlplane.kernel import durations, names
from controlplane.kernel.errors import FieldError, Refused

MAX_TEXT = 20_000
MAX_ITEMS = 5_000
_MAX_LISTED = 500
_MAX_UNKNOWN = 20
_SHOWN_CHARACTERS = 60
E = TypeVar("E", bound=StrEnum)


class Problems:
    """What is wrong with a definition file, in the order in which it was found."""

    def __init__(self) -> None:
        self._found: list[FieldError] = []

    def add(self, path: str, code: str, message: str) -> None:
        self._found.append(FieldError(path, code, message))

    def add_refused(self, path: str, refused: Refused) -> None:
        self.add(path, refused.code, refused.detail)

    def raise_any(self) -> None:
        """Raise ``Refused("bad_definition")`` with every problem, if there is one."""
        if not self._found:
            return
        first = self._found[0]
        many = len(self._found)
        more = "" if many == 1 else f" (and {many - 1} more)"
        where = f"{first.path}: " if first.path else ""
        raise Refused("bad_definition", f"{where}{first.message}{more}", errors=self._found[:_MAX_LISTED])


class Fields:
    """The fields of one object at ``path``; ``done()`` tells those that nobody asked for."""

    def __init__(self, raw: object, *, path: str, what: str, problems: Problems) -> None:
        self.path = path
        self.what = what
        self.problems = problems
        self._asked: list[str] = []
        self._raw: Mapping[str, object] = raw if isinstance(raw, Mapping) else {}
        if not isinstance(raw, Mapping):
            problems.add(path, "bad_value", f"{shown(raw)} is no {what}: an object is expected")

    def at(self, name: str) -> str:
        """Return the path of the field ``name``."""
        return f"{self.path}.{name}" if self.path else name

    def raw(self, name: str) -> object:
        """Return what the file says, None when it says nothing or null."""
        if name not in self._asked:
            self._asked.append(name)
        return self._raw.get(name)

    def has(self, name: str) -> bool:
        return self.raw(name) is not None

    def says(self, name: str) -> bool:
        """Return whether the field is written at all, be it as null."""
        return name in self._raw

    def wrong(self, name: str, message: str, *, code: str = "bad_value") -> None:
        self.problems.add(self.at(name), code, message)

    def missing(self, name: str, expected: str) -> None:
        self.wrong(name, f"{self.what} needs {name}: {expected}", code="missing_field")

    def mistyped(self, name: str, expected: str) -> None:
        self.wrong(name, f"{shown(self.raw(name))} is no {name}: {expected} is expected")

    def name(self, name: str = "name", *, what: str | None = None) -> str:
        """Return a required name; empty after a problem."""
        raw = self.raw(name)
        if raw is None:
            self.missing(name, "lower case letters, digits and underscores, starting with a letter")
            return ""
        return self.checked_name(raw, path=self.at(name), what=what or self.what)

    def optional_name(self, name: str, *, what: str) -> str | None:
        return self.name(name, what=what) if self.has(name) else None

    def checked_name(self, raw: object, *, path: str, what: str) -> str:
        try:
            return names.check(raw, what=what)
        except Refused as refused:
            self.problems.add_refused(path, refused)
            return ""

    def optional_text(self, name: str) -> str | None:
        raw = self.raw(name)
        if raw is None:
            return None
        if not isinstance(raw, str) or not raw.strip():
            self.mistyped(name, "a text that is not empty")
            return None
        if len(raw) > MAX_TEXT:
            self.wrong(name, f"{name} has {len(raw)} characters; at most {MAX_TEXT} are kept")
            return None
        return raw

    def description(self) -> str:
        """Return a text that may as well be empty."""
        return "" if self.raw("description") == "" else self.optional_text("description") or ""

    def text(self, name: str, *, expected: str) -> str:
        if not self.has(name):
            self.missing(name, expected)
        return self.optional_text(name) or ""

    def flag(self, name: str, *, default: bool) -> bool:
        raw = self.raw(name)
        if raw is None or isinstance(raw, bool):
            return default if raw is None else raw
        self.mistyped(name, "true or false")
        return default

    def count(self, name: str) -> int | None:
        """Return a whole number that is not negative."""
        raw = self.raw(name)
        if raw is None:
            return None
        if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw < 2**31:
            self.mistyped(name, "a whole number from 0 to 2147483647")
            return None
        return raw

    def share(self, name: str) -> float | None:
        """Return a share from 0 to 1."""
        raw = self.raw(name)
        if raw is None:
            return None
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 1:
            self.mistyped(name, "a number from 0 to 1")
            return None
        return float(raw)

    def optional_duration(self, name: str) -> timedelta | None:
        raw = self.raw(name)
        if raw is None:
            return None
        try:
            return durations.parse(raw)
        except Refused as refused:
            self.problems.add_refused(self.at(name), refused)
            return None

    def choice(self, name: str, allowed: type[E] | tuple[E, ...]) -> E | None:
        """Return one of the members by its value."""
        raw = self.raw(name)
        if raw is None:
            return None
        members = tuple(allowed)
        found = next((member for member in members if member.value == raw), None)
        if found is None:
            self.mistyped(name, "one of " + ", ".join(member.value for member in members))
        return found

    def items(self, name: str, *, expected: str, required: bool = True) -> Iterator[tuple[str, object]]:
        """Yield each item of a list with its path; a required list has at least one."""
        raw = self.raw(name)
        if raw is None or raw == []:
            if required:
                self.missing(name, expected)
            return
        if not isinstance(raw, list):
            self.mistyped(name, f"a list of {expected}")
            return
        if len(raw) > MAX_ITEMS:
            self.wrong(name, f"{name} has {len(raw)} items; at most {MAX_ITEMS} are read", code="too_large")
            return
        for index, item in enumerate(raw):
            yield f"{self.at(name)}[{index}]", item

    def inner(self, raw: object, *, path: str, what: str) -> "Fields":
        return Fields(raw, path=path, what=what, problems=self.problems)

    def child(self, name: str, *, what: str) -> "Fields":
        return self.inner(self.raw(name), path=self.at(name), what=what)

    def texts(self, name: str, *, expected: str) -> dict[str, str]:
        """Return a mapping of texts."""
        raw = self.raw(name)
        if raw is None:
            return {}
        if not isinstance(raw, Mapping):
            self.mistyped(name, expected)
            return {}
        for key, value in raw.items():
            if not isinstance(value, str) or not value:
                self.problems.add(f"{self.at(name)}.{key}", "bad_value", f"{shown(value)} is no text")
        return {str(key): str(value) for key, value in raw.items()}

    def done(self) -> None:
        """Tell the fields that do not exist, with the nearest that does."""
        unknown = [name for name in self._raw if name not in self._asked]
        for name in unknown[:_MAX_UNKNOWN]:
            near = difflib.get_close_matches(str(name), self._asked, n=1)
            hint = f"did you mean {near[0]}?" if near else "there are " + ", ".join(sorted(self._asked))
            self.wrong(str(name), f"{self.what} has no field {shown(name)}; {hint}", code="unknown_field")


def shown(raw: object) -> str:
    """Return a value as a message quotes it, shortened."""
    text = (
        {None: "null", True: "true", False: "false"}.get(raw)
        if raw is None or isinstance(raw, bool)
        else None
    )
    text = text or repr(raw)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
