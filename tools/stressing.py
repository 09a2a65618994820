"""`./dev stress`: a mixed load on serving while everything around it breaks; every answer is checked."""

from tools import debian, testing
from tools.console import run_shown
from tools.places import ROOT


def stress(*, minutes: float) -> int:
    """Run the long form of tests/stress. Returns 0 when every answer was right or a clear error."""
    debian.ensure([debian.REDIS, debian.COMPILER])
    python = testing.prepare()
    return run_shown([python, "-m", "tests.stress", "--minutes", str(minutes)], cwd=ROOT)
