"""Real Feast, which runs in an environment of its own: programs for it import nothing of ours."""

import os
import subprocess
from pathlib import Path

_VARIABLE = "FRESHLINE_TEST_FEAST_PYTHON"


def python() -> Path:
    """Return the Python of Feast's environment."""
    path = os.environ.get(_VARIABLE)
    assert path, f"{_VARIABLE} is not set: run ./dev test, which makes Feast's environment"
    return Path(path)


def run(*words: str | Path, folder: Path, **environment: str) -> str:
    """Run Feast's Python in ``folder`` with nothing else of this environment; return what it printed."""
    alone = {"PATH": os.environ["PATH"], "HOME": str(folder), "FEAST_USAGE": "False"}
    done = subprocess.run(
        [python(), *words],
        cwd=folder,
        env={**alone, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, f"{words} ended with code {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout
