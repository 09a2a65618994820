"""The import rules of pyproject.toml hold (docs/architecture.md says why)."""

import subprocess
import sys
from pathlib import Path

from tools.places import ROOT


def test_data_flows_one_way_through_the_packages() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
