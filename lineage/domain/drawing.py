"""What of a graph is drawn: level by level from the focus, worst and nearest first, up to a limit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

DEFAULT_LIMIT = 120
MAX_LIMIT = 400
MAX_HOPS = 20
SEVERITY = {
    state: position
    for position, state in enumerate(("missing", "stale", "violating", "late", "no_data", "paused", "fresh"))
}
SUFFERING = frozenset({"missing", "stale", "violating", "late"})  # states that something explains

Key = int
Neighbours = Callable[[Sequence[Key]], Mapping[Key, Sequence[Key]]]
StatesOf = Callable[[Sequence[Key]], Mapping[Key, str]]


@dataclass(slots=True)
class Drawn:
    """The nodes to draw with their depth (upstream negative), and how many the limit left out."""

    depth: dict[Key, int] = field(default_factory=dict)
    left_out: int = 0


def severity(state: str) -> int:
    """Return the order for people: the worst is 0."""
    return SEVERITY.get(state, len(SEVERITY))


def draw(
    focus: Key,
    *,
    up: int,
    down: int,
    limit: int,
    upstream: Neighbours,
    downstream: Neighbours,
    states: StatesOf,
) -> Drawn:
    """Walk ``up`` and ``down`` hops in turn; of a level that does not fit, the worst are drawn."""
    drawn = Drawn({focus: 0})
    frontier_up, frontier_down = [focus], [focus]
    for hop in range(1, max(up, down) + 1):
        if hop <= up:
            frontier_up = _level(drawn, upstream(frontier_up), states, depth=-hop, limit=limit)
        if hop <= down:
            frontier_down = _level(drawn, downstream(frontier_down), states, depth=hop, limit=limit)
    return drawn


def _level(
    drawn: Drawn, step: Mapping[Key, Sequence[Key]], states: StatesOf, *, depth: int, limit: int
) -> list[Key]:
    found = sorted({key for keys in step.values() for key in keys} - drawn.depth.keys())
    room = limit - len(drawn.depth)
    if len(found) > room:
        known = states(found)
        found.sort(key=lambda key: (severity(known.get(key, "")), key))
        drawn.left_out += len(found) - max(room, 0)
        found = found[: max(room, 0)]
    drawn.depth |= dict.fromkeys(found, depth)
    return found


def shortest_path(start: Key, goal: Key, neighbours: Mapping[Key, Iterable[Key]]) -> list[Key]:
    """Return the shortest way from ``start`` to ``goal``, both included; [] when there is none."""
    came: dict[Key, Key | None] = {start: None}
    frontier = [start]
    while frontier and goal not in came:
        following = []
        for key in frontier:
            for other in sorted(neighbours.get(key, ())):
                if other not in came:
                    came[other] = key
                    following.append(other)
        frontier = following
    if goal not in came:
        return []
    path: list[Key] = []
    step: Key | None = goal
    while step is not None:
        path.append(step)
        step = came[step]
    return path[::-1]
