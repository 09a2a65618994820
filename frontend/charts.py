"""Charts as pure functions: small inline SVG from numbers, and the plotly figure of the freshness chart.

SVG is built from numbers and escaped words only, and styled by classes: the pages' policy allows no inline
style. Colours in figures are names of tokens (``var(--late-mark)``); ``<fl-chart>`` puts in the values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from itertools import groupby
from typing import Any

import plotly.graph_objects as go

from frontend import wording
from frontend.states import HEALTH, look


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _svg(css: str, width: int, height: int, label: str, body: str) -> str:
    return (
        f'<svg class="{css}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'preserveAspectRatio="none" role="img" aria-label="{escape(label)}">{body}</svg>'
    )


def sparkline(
    values: Sequence[float | None], *, label: str, unit: str = "", width: int = 96, height: int = 24
) -> str:
    """Return a line of ``values``; a gap stays a gap, one lone point is a dot, no point is an empty frame."""
    known = [value for value in values if value is not None]
    if not known:
        return _svg("spark none", width, height, f"{label}: no data", "")
    low, high = min(known), max(known)
    reach = (high - low) or 1
    step = width / max(1, len(values) - 1)

    def at(index: int, value: float) -> str:
        flat = height / 2 if high == low else height - 2 - (value - low) / reach * (height - 4)
        return f"{_n(index * step)} {_n(flat)}"

    body, run = "", []
    for index, value in enumerate([*values, None]):
        if value is not None:
            run.append(at(index, value))
        elif run:
            dot, line = (' class="dot"', run * 2) if len(run) == 1 else ("", run)
            body += f'<path{dot} d="M{"L".join(line)}"/>'
            run = []
    low_to_high = " to ".join(dict.fromkeys(wording.count(round(value, 3)) for value in (low, high)))
    said = f"{low_to_high} {unit}".strip()
    return _svg("spark", width, height, f"{label}, last 24 h: {said}", body)


def age_bar(age: timedelta | None, limit: timedelta | None, *, state: str, width: int = 136) -> str:
    """Return a bar of age as part of its limit; the excess is paler, twice the limit fills it."""
    if age is None or not limit:
        return ""
    share = max(0.0, min(2.0, age / limit))
    scale = width if share <= 1 else width / 2
    within = min(1.0, share) * scale
    body = f'<rect class="track" width="{width}" height="4"/>'
    body += f'<rect class="within" width="{_n(within)}" height="4"/>'
    if share > 1:
        body += f'<rect class="over" x="{_n(within)}" width="{_n((share - 1) * scale)}" height="4"/>'
        body += f'<rect class="limit" x="{_n(scale - 1)}" width="2" height="4"/>'
    label = f"age {wording.duration(age)} of {wording.duration(limit)}"
    svg = _svg("agebar", width, 4, label, body)
    return f'<span class="tone" data-tone="{look(state).tone}">{svg}</span>'


# The top and the height of cells that are nothing to worry about; all others are as high as the row.
_CELL = {"fresh": (4, 6), "no_data": (6, 2)}


@dataclass(frozen=True, slots=True)
class StripColumn:
    """How many views were in which state during one slice of time."""

    at: datetime
    counts: Mapping[str, int]


def state_strip(columns: Sequence[StripColumn], *, label: str, height: int = 32) -> str:
    """Return a stacked bar of states over time, worst at the bottom; an empty slice stays empty."""
    body = ""
    for index, column in enumerate(columns):
        total = sum(column.counts.values())
        bottom = float(height)
        for state in HEALTH:
            part = column.counts.get(state, 0)
            if not part or not total:
                continue
            # A single stale view among thousands must still be seen: at least two pixels.
            size = max(2.0, part / total * height) if state != "fresh" else max(0.0, bottom)
            bottom -= size
            body += (
                f'<rect class="s-{state}" x="{index * 6}" y="{_n(bottom)}" width="5" height="{_n(size)}"/>'
            )
    return _svg("strip", max(1, len(columns)) * 6, height, label, body)


def state_cells(cells: Sequence[str | None], *, label: str, since: datetime, step: timedelta) -> str:
    """Return one row of a heat strip: a cell for each ``step`` from ``since`` on.

    Where nothing was seen (None) a cell is low and grey: it is no praise. Equal neighbours are one path
    with one title, so that a page of fifty strips stays small.
    """
    body, first = "", 0
    for state, run in groupby(cells):
        last = first + len(list(run))
        name = state if state in HEALTH else "no_data"
        top, height = _CELL.get(name, (0, 14))
        path = "".join(f"M{index * 6} {top}h5v{height}h-5z" for index in range(first, last))
        begins, ends = (since + index * step for index in (first, last))
        # "Fresh" is a word for now: what a half hour was says nothing about that.
        was = "within its limits" if name == "fresh" else look(name).word
        said = f"{was}, {begins:%H:%M} to {ends:%H:%M} UTC"
        body += f'<path class="s-{name}" d="{path}"><title>{said}</title></path>'
        first = last
    return _svg("cells", max(1, len(cells)) * 6, 14, label, body)


def proportion(parts: Iterable[tuple[str, int]], *, label: str, width: int = 160) -> str:
    """Return a bar of named parts on a scale of square roots: 2 % changed of a million must be visible."""
    roots = [(name, value**0.5) for name, value in parts if value > 0]
    if not roots:
        return ""
    total = sum(root for _, root in roots)
    body, x = "", 0.0
    for name, root in roots:
        size = root / total * width
        body += f'<rect class="p-{escape(name)}" x="{_n(x)}" width="{_n(max(1.0, size - 1))}" height="8"/>'
        x += size
    return _svg("proportion", width, 8, label, body)


@dataclass(frozen=True, slots=True)
class AgePoint:
    """The age at one instant, and whether a run had just ended there."""

    at: datetime
    age: timedelta | None


@dataclass(frozen=True, slots=True)
class RunMark:
    """A completed run: when, with which result."""

    at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted: an incident. Open when ``until`` is None."""

    since: datetime
    until: datetime | None
    label: str


_SYMBOLS = {"succeeded": "circle", "failed": "square-x", "hollow": "circle-open", "aborted": "diamond-open"}


def freshness_figure(
    *,
    points: Sequence[AgePoint],
    warn: timedelta | None,
    limit: timedelta | None,
    runs: Sequence[RunMark] = (),
    incidents: Sequence[Span] = (),
    until: datetime,
) -> dict[str, Any]:
    """Return the plotly figure of age over time: the saw-tooth, the limits, runs and incidents below it."""
    minutes = [None if p.age is None else round(p.age.total_seconds() / 60, 2) for p in points]
    figure = go.Figure(
        go.Scatter(
            x=[p.at for p in points],
            y=minutes,
            name="Age",
            mode="lines",
            line={"shape": "linear", "width": 1.5, "color": "var(--text-2)"},
            connectgaps=False,
            hovertemplate="%{x|%H:%M}: %{y} min<extra></extra>",
        )
    )
    top = (
        max([m for m in minutes if m is not None] + [(limit or timedelta(minutes=1)).total_seconds() / 60])
        * 1.15
    )
    _add_limits(figure, warn=warn, limit=limit, top=top)
    _add_marks(figure, runs=runs, incidents=incidents, until=until, top=top)
    figure.update_layout(
        template=None,
        height=260,
        margin={"l": 52, "r": 12, "t": 8, "b": 40},
        paper_bgcolor="var(--bg)",
        plot_bgcolor="var(--bg)",
        font={"size": 12, "color": "var(--text-2)"},
        showlegend=False,
        hovermode="x",
        xaxis={
            "gridcolor": "var(--border)",
            "linecolor": "var(--border)",
            "type": "date",
            "nticks": 6,
            "tickformat": "%H:%M\n%-d %b",
            "tickangle": 0,
        },
        yaxis={
            "gridcolor": "var(--border)",
            "zerolinecolor": "var(--border)",
            "range": [-top * 0.14, top],
            "title": {"text": "age, minutes", "standoff": 6},
        },
    )
    document: dict[str, Any] = figure.to_plotly_json()
    return document


def _add_limits(figure: go.Figure, *, warn: timedelta | None, limit: timedelta | None, top: float) -> None:
    if limit is not None:
        y = limit.total_seconds() / 60
        figure.add_hrect(y0=y, y1=top, fillcolor="var(--breach-bg)", opacity=1, line_width=0, layer="below")
        figure.add_hline(y=y, line={"color": "var(--breach-mark)", "width": 1.5})
    if warn is not None and warn != limit:
        figure.add_hline(
            y=warn.total_seconds() / 60, line={"color": "var(--late-mark)", "width": 1.5, "dash": "dash"}
        )


def _add_marks(
    figure: go.Figure, *, runs: Sequence[RunMark], incidents: Sequence[Span], until: datetime, top: float
) -> None:
    for state, symbol in _SYMBOLS.items():
        marks = [run for run in runs if run.state == state]
        if marks:
            figure.add_scatter(
                x=[run.at for run in marks],
                y=[-top * 0.04] * len(marks),
                name=look(state).word,
                mode="markers",
                marker={"symbol": symbol, "size": 8, "color": f"var(--{look(state).tone}-mark)"},
                hovertemplate=f"%{{x|%H:%M}}: run {look(state).word.lower()}<extra></extra>",
            )
    for span in incidents:
        figure.add_shape(
            type="rect",
            x0=span.since,
            x1=span.until or until,
            y0=-top * 0.12,
            y1=-top * 0.08,
            fillcolor="var(--breach-mark)",
            line_width=0,
        )


def share_within(points: Sequence[AgePoint], limit: timedelta) -> float | None:
    """Return the share of known points whose age is within ``limit``; None when nothing is known."""
    known = [point.age for point in points if point.age is not None]
    return sum(age <= limit for age in known) / len(known) if known else None


def summary(points: Sequence[AgePoint], *, limit: timedelta | None, breaches: int, window: str) -> str:
    """Return the chart in one sentence, for people who do not see it."""
    if limit is None:
        return f"Age over {window}. No limit is set."
    share = share_within(points, limit)
    if share is None:
        return f"Nothing was measured in {window}."
    return (
        f"Age within {wording.duration(limit)} for {wording.percent(share)} of {window}; "
        f"{wording.amount(breaches, 'breach', 'breaches')}."
    )
