"""Charts as pure functions: small inline SVG from numbers, and the plotly figure of the freshness chart.

SVG is built from numbers and escaped words only, and styled by classes: the pages' policy allows no inline
style. Colours in figures are names of tokens (``var(--late-mark)``); ``<fl-chart>`` puts in the values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
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


def sparkline(values: Sequence[float | None], *, label: str, width: int = 96, height: int = 24) -> str:
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
            body += f'<path d="M{"L".join(run if len(run) > 1 else run * 2)}"/>'
            run = []
    return _svg("spark", width, height, f"{label}: {wording.count(known[-1])} now", body)


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


def state_cells(cells: Sequence[str | None], *, label: str) -> str:
    """Return one row of a heat strip: a cell for each slice of time, ``None`` where nothing was seen."""
    body = "".join(
        f'<rect class="s-{state if state in HEALTH else "no_data"}" x="{index * 6}" '
        f'y="{0 if state != "fresh" else 4}" width="5" height="{14 if state != "fresh" else 6}"/>'
        for index, state in enumerate(cells)
        if state is not None
    )
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
