"""The small lineage picture of a view's page: one hop each side and the way to the cause, as inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from frontend.states import ICONS, look, severity

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y = 164, 34, 40, 10
_MOST = 5


@dataclass(frozen=True, slots=True)
class MapNode:
    """One node of the picture: ``column`` 0 is the focus, negative is upstream."""

    id: str
    kind: str
    name: str
    state: str
    column: int


def _shorten(name: str, most: int = 18) -> str:
    if len(name) <= most:
        return name
    head = most // 2
    return f"{name[:head]}…{name[-(most - head - 1) :]}"


def mini_map(
    nodes: Sequence[MapNode], edges: Sequence[tuple[str, str]], *, cause: Sequence[str] = (), label: str
) -> str:
    """Return the picture. A column shows its worst five nodes and how many more there are."""
    columns = sorted({node.column for node in nodes})
    place: dict[str, tuple[float, float]] = {}
    body = ""
    shown = {
        column: sorted((n for n in nodes if n.column == column), key=lambda n: (severity(n.state), n.name))
        for column in columns
    }
    rows = max((min(len(ns), _MOST + 1) for ns in shown.values()), default=1)
    height = rows * (_HEIGHT + _GAP_Y) - _GAP_Y
    for index, column in enumerate(columns):
        drawn = shown[column][:_MOST]
        extra = len(shown[column]) - len(drawn)
        size = (len(drawn) + (1 if extra else 0)) * (_HEIGHT + _GAP_Y) - _GAP_Y
        x, y = index * (_WIDTH + _GAP_X), (height - size) / 2
        for node in drawn:
            place[node.id] = (x, y)
            body += _node(node, x, y, focus=column == 0)
            y += _HEIGHT + _GAP_Y
        if extra:
            body += f'<text class="more" x="{x + 8}" y="{y + 20:.0f}">{extra} more</text>'
    steps = set(pairwise(cause))
    lines = "".join(
        _edge(place[a], place[b], cause=(a, b) in steps) for a, b in edges if a in place and b in place
    )
    width = max(1, len(columns)) * (_WIDTH + _GAP_X) - _GAP_X
    return (
        f'<svg class="minimap" viewBox="-2 -2 {width + 4} {height + 4}" '
        f'width="{width + 4}" height="{height + 4}" role="img" '
        f'aria-label="{escape(label)}">{lines}{body}</svg>'
    )


def _edge(a: tuple[float, float], b: tuple[float, float], *, cause: bool) -> str:
    x1, y1, x2, y2 = a[0] + _WIDTH, a[1] + _HEIGHT / 2, b[0], b[1] + _HEIGHT / 2
    bend = (x1 + x2) / 2
    css = "edge cause" if cause else "edge"
    curve = f"M{x1:.0f} {y1:.0f}C{bend:.0f} {y1:.0f} {bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    return f'<path class="{css}" d="{curve}"/>'


def _node(node: MapNode, x: float, y: float, *, focus: bool) -> str:
    told = look(node.state)
    css = "node focus" if focus else "node"
    glyph = ICONS["states"].get(node.state, ICONS["states"]["no_data"])
    kind = ICONS["kinds"].get(node.kind, "")
    return (
        f'<g class="{css}" data-tone="{told.tone}" transform="translate({x:.0f} {y:.0f})">'
        f"<title>{escape(node.name)}, {escape(node.kind)}, {told.word.lower()}</title>"
        f'<rect class="body" width="{_WIDTH}" height="{_HEIGHT}" rx="3"/>'
        f'<rect class="edgebar" width="4" height="{_HEIGHT}"/>'
        f'<svg class="kind" x="10" y="10" width="14" height="14" viewBox="0 0 16 16">{kind}</svg>'
        f'<text x="30" y="21">{escape(_shorten(node.name, 15))}</text>'
        f'<svg class="glyph" x="{_WIDTH - 22}" y="10" width="14" height="14" '
        f'viewBox="0 0 16 16">{glyph}</svg></g>'
    )
