"""The page on adopting a Feast repository: its commands are run, its limits are true."""

import shlex
from pathlib import Path

import pytest

from tools.places import ROOT

PAGE = (ROOT / "docs" / "adopt-feast.md").read_text()


def commands(heading):
    """The freshline commands of one section, each with the file that it writes, if any."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("freshline "):
            words, _, file = line.partition(" > ")
            yield shlex.split(words)[1:], file


@pytest.mark.parametrize("way", ["Read Feast's store in place", "Keep the rows in a store of ours"])
def test_both_ways_end_with_an_applied_project(
    administrator, repository, settings, tmp_path, monkeypatch, way
):
    settings.FRESHLINE_STORES = {"online": "feast+redis://127.0.0.1:6379/0"}
    repository()
    monkeypatch.chdir(tmp_path)
    run = list(commands(way))
    assert [words[0] for words, _ in run] == ["import", "plan", "apply"]
    for words, file in run:
        assert administrator.run(*words) == 0, administrator.err
        if file:
            Path(file).write_text(administrator.out)
    applied = administrator.json("export", "--project", "driver_repo")
    assert ("store" in applied) == ("--store" in run[0][0])
