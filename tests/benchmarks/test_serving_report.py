"""What a run of the serving benchmark says of its figures."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from benchmarks.results_file import shown_on
from benchmarks.serving import beside_feast, chart, keeping
from benchmarks.serving.beside_feast import ON_FEASTS_LAYOUT, OWN, Case
from benchmarks.serving.measuring import Answers, Load, median
from benchmarks.serving.outcomes import Outcome, Part, outcome_table
from benchmarks.serving.table import HUNDRED, ONE, THOUSAND, request_bodies
from tools.places import ROOT


def answers(per_second, **others):
    figures = dict.fromkeys(("p50_ms", "p95_ms", "p99_ms", "answer_bytes", "client_share", "server_ms"), 1.0)
    return Answers(per_second=per_second, **{**figures, **others})


def case(side, shape, connections, *rates):
    return Case(side, shape, connections, tuple(map(answers, rates)))


@pytest.mark.parametrize(
    ("measured", "target", "at_least", "met"),
    [
        (20.0, 20, True, True),
        (19.9, 20, True, False),
        (0.5, 0.5, False, True),
        (0.51, 0.5, False, False),
        (0.504, 0.5, False, True),  # what is printed decides: 0.50
        (-3.0, 3, False, True),
    ],
)
def test_a_target_is_met_by_the_figure_that_is_printed(measured, target, at_least, met):
    assert Outcome("a", target, measured, "x", at_least=at_least).met is met


def test_the_table_names_target_figure_and_verdict_of_each_outcome():
    text = "\n".join(
        outcome_table([Outcome("fast", 20, 25.04, "x", True, (24, 26)), Outcome("slow", 2, 3, " ms")])
    )
    assert re.search(r"^fast +at least 20x +25\.0x  met +24\.0, 26\.0$", text, re.M)
    assert re.search(r"^slow +at most 2 ms +3\.00 ms  NOT MET$", text, re.M)


def test_times_are_taken_round_by_round_with_the_most_connections():
    cases = [
        case(OWN, ONE, 1, 1, 1, 1),
        case("Feast, 1 worker", ONE, 1, 1, 1, 1),
        case(OWN, ONE, 4, 100, 300, 200),
        case("Feast, 1 worker", ONE, 4, 10, 10, 10),
    ]
    (outcome,) = beside_feast.outcomes(cases, OWN)
    assert (outcome.measured, outcome.target, outcome.rounds) == (20, 20, (10, 30, 20))
    assert outcome.met
    assert not list(beside_feast.outcomes(cases, ON_FEASTS_LAYOUT)), "it has no target at 1 x 10"


def test_a_median_is_of_each_figure_by_itself():
    of = median([answers(1, p50_ms=9), answers(2, p50_ms=7), answers(3, p50_ms=8)])
    assert (of.per_second, of.p50_ms) == (2, 8)


def test_bodies_have_as_many_rows_as_their_shape_says_and_are_the_same_every_time():
    for shape in (ONE, HUNDRED, THOUSAND):
        bodies = request_bodies(shape, 120)
        assert {len(body["entities"]["entity_id"]) for body in bodies} == {shape.rows}
        assert bodies == request_bodies(shape, 120)
    assert len({*request_bodies(HUNDRED, 120)[0]["entities"]["entity_id"]}) == 100


def document(*cases):
    part = Part("feast", "beside", figures=beside_feast.figures(cases))
    return keeping.document(["processor: a < b, 2 cores"], [part])


def test_the_chart_draws_every_side_and_shape_in_light_and_dark():
    sides = (OWN, ON_FEASTS_LAYOUT, "Feast, 1 worker")
    shapes = (ONE, HUNDRED)
    drawn = chart.draw(document(*(case(side, shape, 4, 9000, 9, 0.5) for shape in shapes for side in sides)))
    tree = ElementTree.fromstring(drawn)
    texts = [node.text for node in tree.iter("{http://www.w3.org/2000/svg}text")]
    for side in sides:
        assert texts.count(side) == len(shapes)
    assert "prefers-color-scheme:dark" in drawn
    assert any("a < b, 2 cores" in text for text in texts)


def test_nothing_is_drawn_without_feast():
    assert chart.draw(document(case(OWN, ONE, 4, 1))) == ""


def test_a_report_ends_with_how_it_was_measured(tmp_path):
    load = Load(tmp_path, rounds=3, seconds=0.5, entities=1)
    lines = keeping.report(["command: x"], [Part("a", "title", [Outcome("o", 1, 1, "")], ["line"])], load)
    assert lines[0] == "command: x"
    assert lines.index("title") == lines.index("line") - 1
    assert "Medians of 3 rounds of 0.5 s" in "\n".join(lines)


def test_a_kept_result_takes_the_place_of_the_one_before_on_the_page():
    page = "a\n```\ncommand: python -m benchmarks.x old\n\nfigures\n```\n"
    page += "b\n```\ncommand: python -m benchmarks.xy\n```\n"
    shown = shown_on(page, "command: python -m benchmarks.x new\n1\n", "x")
    assert shown == page.replace(" old\n\nfigures\n", " new\n1\n")


def test_the_page_explains_every_row_that_can_be_chosen():
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    command = (ROOT / "benchmarks" / "serving" / "__main__.py").read_text()
    rows = re.search(r"^ROWS = \((.*)\)$", command, re.M)
    assert rows
    for name in re.findall(r'"(.*?)"', rows[1]):
        assert f"| `{name}` |" in page
        assert f"\n    {name} " in command
