"""Charts are pure: the numbers drawn are the numbers given, and nothing in them can be markup."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend import charts
from frontend.minimap import MapNode, mini_map

NOW = datetime(2026, 11, 22, 13, 44, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
HOSTILE = '"><script>alert(1)</script>'
numbers = st.lists(st.none() | st.floats(min_value=-1e9, max_value=1e9), max_size=60)


def parsed(svg: str) -> ElementTree.Element:
    assert "style=" not in svg, "the pages' policy forbids inline styles"
    return ElementTree.fromstring(svg)


@given(numbers)
def test_a_sparkline_is_well_formed_and_stays_in_its_frame(values):
    root = parsed(charts.sparkline(values, label="Age"))
    for path in root.iter("path"):
        for x, y in re.findall(r"([-\d.]+) ([-\d.]+)", path.get("d")):
            assert -0.1 <= float(x) <= 96.1
            assert 0 <= float(y) <= 24


def test_a_gap_in_the_values_is_a_gap_in_the_line():
    assert charts.sparkline([1, 2, None, 3, 4], label="x").count("<path") == 2


def test_no_values_say_so():
    assert "no data" in charts.sparkline([None, None], label="Age")


@pytest.mark.parametrize(
    "draw", [charts.sparkline, charts.state_strip, charts.state_cells, charts.proportion]
)
def test_a_label_cannot_become_markup(draw):
    extra = {"since": NOW, "step": HALF_HOUR} if draw is charts.state_cells else {}
    svg = draw([("a", 1)] if draw is charts.proportion else [], label=HOSTILE, **extra)
    assert "<script" not in svg


def test_a_bar_over_the_limit_shows_the_limit():
    over = charts.age_bar(timedelta(minutes=42), timedelta(minutes=15), state="stale")
    within = charts.age_bar(timedelta(minutes=3), timedelta(minutes=15), state="fresh")
    assert 'class="over"' in over and 'class="limit"' in over and 'data-tone="breach"' in over
    assert 'class="over"' not in within
    assert charts.age_bar(None, timedelta(minutes=1), state="no_data") == ""


def test_equal_cells_are_one_path_with_the_time_it_lasted():
    cells = ["fresh", "fresh", "stale", None, "fresh"]
    paths = list(parsed(charts.state_cells(cells, label="x", since=NOW, step=HALF_HOUR)))
    assert [path.get("class") for path in paths] == ["s-fresh", "s-stale", "s-no_data", "s-fresh"]
    assert [path.get("d").count("M") for path in paths] == [2, 1, 1, 1]
    titles = [path[0].text for path in paths]
    ends = NOW + 2 * HALF_HOUR
    assert titles[0] == f"within its limits, {NOW:%H:%M} to {ends:%H:%M} UTC"
    assert titles[1] == f"Stale, {ends:%H:%M} to {ends + HALF_HOUR:%H:%M} UTC"


def test_a_cell_of_which_nothing_is_known_is_grey_and_low_and_a_bad_one_fills_the_row():
    cells = [None, "no_data", "???", "missing", "fresh"]
    paths = list(parsed(charts.state_cells(cells, label="x", since=NOW, step=HALF_HOUR)))
    assert {path.get("class") for path in paths[:-2]} == {"s-no_data"}
    heights = [int(path.get("d").split("v")[1].split("h")[0]) for path in paths]
    assert heights[0] < heights[-1] < heights[-2] == 14


def test_a_sparkline_says_from_where_to_where_it_goes():
    svg = charts.sparkline([3.0, None, 12.25], label="Serving p95", unit="ms")
    assert 'aria-label="Serving p95, last 24 h: 3 to 12.2 ms"' in svg
    assert "2 a minute" in charts.sparkline([2.0, 2.0], label="x", unit="a minute")


def test_one_stale_view_among_thousands_is_seen_in_the_strip():
    column = charts.StripColumn(NOW, {"fresh": 9_999, "stale": 1})
    root = parsed(charts.state_strip([column], label="day"))
    heights = {rect.get("class"): float(rect.get("height")) for rect in root.iter("rect")}
    assert heights["s-stale"] >= 2
    assert heights["s-fresh"] + heights["s-stale"] == pytest.approx(32)


@given(
    st.dictionaries(
        st.sampled_from(["missing", "stale", "late", "no_data", "paused", "fresh"]), st.integers(0, 10_000)
    )
)
def test_a_column_of_the_strip_never_leaves_its_frame(counts):
    root = parsed(charts.state_strip([charts.StripColumn(NOW, counts)], label="day"))
    for rect in root.iter("rect"):
        assert float(rect.get("height")) >= 0


def test_two_percent_of_a_million_is_visible():
    root = parsed(charts.proportion([("same", 980_000), ("changed", 20_000)], label="rows"))
    widths = [float(rect.get("width")) for rect in root.iter("rect")]
    assert widths[1] > 15


def points(*ages: float | None) -> list[charts.AgePoint]:
    return [
        charts.AgePoint(
            NOW - timedelta(minutes=len(ages) - i), None if age is None else timedelta(minutes=age)
        )
        for i, age in enumerate(ages)
    ]


def figure(**changes):
    known = {
        "points": points(1, 2, None, 20),
        "warn": timedelta(minutes=12),
        "limit": timedelta(minutes=15),
        "until": NOW,
    }
    return charts.freshness_figure(**{**known, **changes})


def test_the_figure_holds_exactly_the_points_in_minutes():
    line = figure()["data"][0]
    assert list(line["y"]) == [1, 2, None, 20]
    assert line["connectgaps"] is False


def test_the_figure_draws_the_limit_the_warning_runs_and_incidents():
    document = figure(
        runs=[charts.RunMark(NOW, "succeeded"), charts.RunMark(NOW, "failed")],
        incidents=[charts.Span(NOW - timedelta(minutes=3), None, "INC-1")],
    )
    shapes = document["layout"]["shapes"]
    assert [s["y0"] for s in shapes if s["type"] == "line"] == [15, 12]
    assert shapes[-1]["x1"] == NOW, "an open incident lasts until now"
    assert {trace["name"] for trace in document["data"]} == {"Age", "Succeeded", "Failed"}


def test_colours_in_the_figure_are_names_of_tokens():
    colours = re.findall(r"'(?:color|gridcolor|linecolor|fillcolor|paper_bgcolor)': '([^']+)'", str(figure()))
    assert colours and all(re.fullmatch(r"var\(--[\w-]+\)", colour) for colour in colours)


def test_the_summary_says_the_share_within_the_limit():
    text = charts.summary(
        points(1, 2, 20, None), limit=timedelta(minutes=15), breaches=1, window="the last 24 h"
    )
    assert text == "Age within 15 min for 66.7 % of the last 24 h; 1 breach."
    assert "Nothing was measured" in charts.summary(
        [], limit=timedelta(minutes=15), breaches=0, window="the last hour"
    )


names = st.text(min_size=1, max_size=80)


@given(
    st.lists(st.tuples(names, st.integers(-2, 2), st.sampled_from(["fresh", "stale", "odd"])), max_size=25)
)
def test_the_small_map_is_well_formed_whatever_the_names(rows):
    nodes = [MapNode(f"n{i}", "view", name, state, column) for i, (name, column, state) in enumerate(rows)]
    clean = [n for n in nodes if n.name.isprintable()]
    parsed(mini_map(clean, [("n0", "n1")], cause=("n0", "n1"), label="map"))


def test_the_small_map_keeps_the_worst_and_counts_the_rest():
    nodes = [
        MapNode(f"n{i}", "service", f"service_{i}", "stale" if i == 9 else "fresh", 1) for i in range(10)
    ]
    svg = mini_map(nodes, [], label="map")
    assert "service_9, service, stale" in svg
    assert "5 more" in svg
