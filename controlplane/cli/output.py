"""What a command prints: a table for people, or JSON for programs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found: ``document`` for JSON, ``lines`` for people. Not ``ok`` exits with 1.

    ``asides`` are told to people beside the lines, on standard error: a file made of the lines lacks them.
    """

    document: Any
    lines: Sequence[str] = field(default_factory=tuple)
    ok: bool = True
    asides: Sequence[str] = field(default_factory=tuple)

    def text(self, *, as_json: bool) -> str:
        """Return what is printed."""
        return json.dumps(self.document, indent=2, ensure_ascii=False) if as_json else "\n".join(self.lines)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return columns as wide as what stands in them; without rows only the heads."""
    cells = [[head.upper() for head in heads], *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return str(value).replace("\n", " ")
