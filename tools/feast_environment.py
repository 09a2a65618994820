"""Real Feast, to compare with and to have stores written by; it wants older packages than we do."""

from pathlib import Path

from tools import environment
from tools.places import DOWNLOADS, python_of

VARIABLE = "FRESHLINE_TEST_FEAST_PYTHON"  # tells tests where its Python is
_FOLDER = DOWNLOADS / "feast"
PYTHON = python_of(_FOLDER)


def ensure() -> Path:
    """Return the Python of an environment of its own, made as locked in requirements/feast.txt."""
    return environment.ensure("feast", venv=_FOLDER)
