"""The chart of a kept run, an SVG: requests a second of each side, by shape, on a logarithmic scale.

It is a pure function of the run's JSON, brings its own background and takes the reader's light or dark.
"""

import math
from html import escape
from typing import Any

_WIDTH, _LEFT, _RIGHT = 760, 200, 190
_BAR, _GAP, _TOP = 18, 18, 68
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2933}"
    ".title{font-weight:600;font-size:15px}.quiet{fill:#52606d}"
    ".card{fill:#fff;stroke:#d2d6dc}.ours{fill:#0f6cbd}.layout{fill:#5ba3dd}.feast{fill:#9aa5b1}"
    "@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.quiet{fill:#9aa5b1}.card{fill:#161b22;stroke:#3e4c59}"
    ".ours{fill:#4aa3f0}.layout{fill:#2f6fa8}.feast{fill:#7b8794}}"
)


def draw(document: dict[str, Any]) -> str:
    """Return the chart; an empty text where Feast was not measured."""
    cases = document["parts"].get("feast", [])
    if not any(case["side"].startswith("Feast") for case in cases):
        return ""
    groups: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        busiest = max(each["connections"] for each in cases if each["shape"] == case["shape"])
        if case["connections"] == busiest:
            groups.setdefault(case["shape"], []).append(case)
    rates = [case["median"]["per_second"] for group in groups.values() for case in group]
    least, most = 10 ** math.floor(math.log10(min(rates))), max(rates)
    parts, y = [], _TOP
    for shape, group in groups.items():
        parts.append(_text(16, y + 13, f"{shape} values, {group[0]['connections']} connections", "title"))
        y += _BAR + 4
        ours = group[0]["median"]["per_second"]
        for case in group:
            parts += _bar(case, y, least, most, ours)
            y += _BAR + 4
        y += _GAP
    head = [
        _text(16, 28, "Feature lookups a second, JSON over HTTP, same values on the same Redis", "title"),
        _text(16, 47, f"{document['about']['processor']}; logarithmic scale", "quiet"),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" width="{_WIDTH}" height="{y}" '
        f'role="img" aria-label="Feature lookups a second by Freshline and by Feast"><style>{_STYLE}</style>'
        f'<rect class="card" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{y - 1}" rx="8"/>'
        + "".join(head + parts)
        + "</svg>\n"
    )


def _bar(case: dict[str, Any], y: int, least: float, most: float, ours: float) -> list[str]:
    rate = case["median"]["per_second"]
    width = max(2, round((_WIDTH - _LEFT - _RIGHT) * math.log(rate / least) / math.log(most / least)))
    feast = case["side"].startswith("Feast")
    kind = "feast" if feast else "layout" if "layout" in case["side"] else "ours"
    label = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2f}"
    label += f" (Freshline: {ours / rate:.0f} times)" if feast else ""
    return [
        f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width}" height="{_BAR}" rx="2"/>',
        _text(_LEFT - 8, y + 13, case["side"], "quiet", anchor="end"),
        _text(_LEFT + width + 6, y + 13, label, ""),
    ]


def _text(x: int, y: int, text: str, kind: str, *, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
