"""What our pages say about speed is what a benchmark printed, and can be printed again."""

import re

import pytest

from benchmarks.results_file import RESULTS
from tools.places import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
KEPT = sorted(RESULTS.glob("*.txt"))


def test_every_result_is_of_a_command_that_the_page_names():
    assert KEPT
    for result in KEPT:
        assert f"`python -m benchmarks.{result.stem}`" in PAGE.read_text()
        assert result.read_text().startswith(f"command: python -m benchmarks.{result.stem} ")


@pytest.mark.parametrize("result", KEPT, ids=lambda path: path.stem)
def test_the_page_shows_a_kept_result_as_it_is(result):
    assert f"```\n{result.read_text()}```\n" in PAGE.read_text()


@pytest.mark.parametrize("result", KEPT, ids=lambda path: path.stem)
def test_a_kept_result_names_its_machine_but_no_folder_or_host(result):
    text = result.read_text()
    assert re.search(r"^processor: .+ cores$", text, re.M)
    assert re.search(r"^load before: ", text, re.M)
    assert not re.search(r"(?<![\w/])/\w+/", text)
    assert "hostname" not in text.lower()


def test_every_figure_of_the_readme_was_printed():
    table = re.search(r"## Figures\n(.*?)\n## ", (ROOT / "README.md").read_text(), re.S)
    assert table
    printed = " ".join(path.read_text() for path in KEPT)
    rows = [line for line in table[1].splitlines() if line.startswith("| ") and "---" not in line][1:]
    figures = [
        figure for row in rows for cell in row.split("|")[2:] for figure in re.findall(r"\d[\d,.]*", cell)
    ]
    assert figures
    assert not [
        figure for figure in figures if not re.search(rf"(?<![\d,.]){re.escape(figure)}(?![\d,.])", printed)
    ]
