"""The benchmark commands run, in a tiny size; no time is asserted.

Feast's side is left out: its environment is 600 MB and took one to two minutes to install, more than a test
may. What both sides share (table, comparison, load client, report) runs here as it does beside Feast.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.places import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _run(module: str, *words: str, result: Path) -> str:
    command = [sys.executable, "-m", f"benchmarks.{module}", *words, "--result", str(result)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FRESHLINE_")}
    done = subprocess.run(command, cwd=ROOT, env=inherited, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = result.read_text()
    assert kept in done.stdout
    assert not re.search(r"(?<![\w/])/\w+/", kept), "a result names a folder of one machine"
    return kept


def test_a_batch_writes_exactly_what_was_added_changed_and_removed(tmp_path):
    kept = _run("batch_change_detection", "--rows", "2000", result=tmp_path / "kept.txt")
    assert "added 10, changed 20, removed 10, unchanged 1,970: as expected" in kept
    assert "the store equals a full rewrite: yes" in kept


def test_every_row_of_the_speed_table_that_needs_no_feast_is_measured(tmp_path):
    kept = _run("serving", "--quick", "--workers", result=tmp_path / "kept.txt")
    assert "compared first: 13,440 values of each side, with status and event time" in kept
    for shape in ("1 x 10", "100 x 100", "1000 x 100"):
        assert re.search(rf"^{shape} +2  Freshline +[1-9]", kept, re.M)
    document = json.loads((tmp_path / "kept.json").read_text())
    measured = {outcome["what"] for outcome in document["targets"]}
    assert len(measured) == 4 + 1 + 2 + 6
    for outcome in document["targets"]:
        assert re.search(
            rf"^{re.escape(outcome['what'])} .*{'met' if outcome['met'] else 'NOT MET'}", kept, re.M
        )
    assert not (tmp_path / "kept.svg").exists(), "there is nothing to draw without Feast"
