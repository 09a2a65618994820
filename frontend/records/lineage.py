"""The lineage explorer, as far as the server draws it: the table that holds everything the graph has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineageRow:
    """A node in the table. ``depth`` is negative upstream; ``via`` names the neighbour nearer the focus."""

    node: str
    kind: str
    name: str
    namespace: str
    state: str
    detail: str
    owner: str
    depth: int
    via: str
    on_cause_path: bool = False
    is_cause: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A node that is not fresh, where no focus was chosen."""

    node: str
    kind: str
    name: str
    state: str
    detail: str


@dataclass(frozen=True, slots=True)
class LineagePage:
    """The explorer around a focus, or without one the problems and the project's views."""

    project: str
    focus: str
    focus_name: str
    mode: str
    rows: tuple[LineageRow, ...]
    problems: tuple[Problem, ...]
    views: tuple[Problem, ...]
    left_out: str = ""
    cause: str = ""
    query: str = ""
