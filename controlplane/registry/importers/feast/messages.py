"""Protobuf messages of a registry, asked field by field; what does not fit is no registry."""

from collections import defaultdict
from datetime import timedelta

from controlplane.kernel.errors import Refused
from store_adapters.errors import CorruptValue
from store_adapters.protobuf import BYTES, VARINT, fields, signed

# A registry of a thousand views of a hundred features has about half of that.
MAX_FIELDS = 1_000_000
_MAX_SECONDS = 10**11


class Budget:
    """How many fields may still be read: a small file can hold very many."""

    def __init__(self, fields_left: int = MAX_FIELDS) -> None:
        self._left = fields_left

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Refused("too_large", f"The registry holds more than {MAX_FIELDS} fields")


class Message:
    """One message. An absent field is empty, zero or false; of a field given twice the last one counts."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        self._budget = budget
        self._fields: defaultdict[int, list[tuple[int, int | bytes]]] = defaultdict(list)
        for number, wire, content in fields(data):
            budget.spend()
            self._fields[number].append((wire, content))

    def count(self, field: int) -> int:
        return len(self._fields.get(field, ()))

    def has(self, field: int) -> bool:
        return field in self._fields

    def number(self, field: int) -> int:
        found = 0
        for wire, content in self._fields.get(field, ()):
            if wire != VARINT or not isinstance(content, int):
                raise CorruptValue(f"field {field} is no number")
            found = signed(content, 64)
        return found

    def flag(self, field: int) -> bool:
        return self.number(field) != 0

    def text(self, field: int) -> str:
        return next(reversed(self.texts(field)), "")

    def texts(self, field: int) -> list[str]:
        try:
            return [content.decode() for content in self._contents(field)]
        except UnicodeDecodeError as wrong:
            raise CorruptValue(f"field {field} is no text") from wrong

    def message(self, field: int) -> "Message":
        """Return the message, an empty one where there is none."""
        return next(reversed(self.messages(field)), None) or Message(b"", self._budget)

    def messages(self, field: int) -> list["Message"]:
        return [Message(content, self._budget) for content in self._contents(field)]

    def mapping(self, field: int) -> dict[str, str]:
        """Return a map of texts."""
        return {entry.text(1): entry.text(2) for entry in self.messages(field)}

    def duration(self, field: int) -> timedelta:
        """Return a ``google.protobuf.Duration``; zero where there is none."""
        span = self.message(field)
        seconds, nanos = span.number(1), span.number(2)
        if not (abs(seconds) <= _MAX_SECONDS and abs(nanos) < 1_000_000_000):
            raise CorruptValue(f"field {field} is no duration")
        return timedelta(seconds=seconds, microseconds=nanos // 1000)

    def _contents(self, field: int) -> list[bytes]:
        found = []
        for wire, content in self._fields.get(field, ()):
            if wire != BYTES or not isinstance(content, bytes):
                raise CorruptValue(f"field {field} is no text and no message")
            found.append(content)
        return found
