"""The reference pages say what the code says, all of it, and nothing else.

``pytest tests/architecture --rewrite`` writes the tables between their markers anew; read the diff.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture import reference
from tools.places import ROOT

REFERENCE = ROOT / "docs" / "reference"
TABLES: dict[str, Callable[[], str]] = {
    "api.md": reference.calls_table,
    "settings.md": reference.settings_table,
    "cli.md": reference.commands_table,
    "errors.md": reference.errors_table,
    "metrics.md": reference.metrics_table,
    "monitors.md": reference.monitors_table,
}
_VARIABLE = r'"((?:FRESHLINE|OTEL)_[A-Z_]+)"'
_WRITTEN = re.compile(r"(<!-- written from the code -->\n\n)(.*?)(\n\n<!-- end -->)", re.S)


def _names(page: Path) -> set[str]:
    """Return what the first column of a page's tables names."""
    return set(re.findall(r"^\| `([^`]+)` \|", page.read_text(), re.M))


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_table_is_what_the_code_says(name: str, request: pytest.FixtureRequest) -> None:
    page, expected = REFERENCE / name, TABLES[name]()
    text = page.read_text()
    if request.config.getoption("--rewrite", default=False):
        page.write_text(_WRITTEN.sub(lambda found: found[1] + expected + found[3], text))
        return
    found = _WRITTEN.search(text)
    assert found, f"{name} has lost its markers"
    assert found[2] == expected, "pytest tests/architecture --rewrite writes it anew"


def test_every_variable_that_serving_reads_is_listed() -> None:
    assert reference.names_in_go(_VARIABLE) <= _names(REFERENCE / "settings.md")


def test_no_variable_is_listed_that_nobody_reads() -> None:
    listed = _names(REFERENCE / "settings.md")
    known = {setting.name for setting in reference.SETTINGS} | reference.names_in_go(_VARIABLE)
    assert listed == known | ({"STORE_URL"} & listed)


def test_every_metric_of_serving_is_listed_and_no_other() -> None:
    listed = _names(REFERENCE / "metrics.md")
    ours = {metric.name for metric in reference.declared_metrics()}
    assert listed - ours == reference.names_in_go(r"\b(freshline_[a-z0-9_]+)\b")
