"""Where a benchmark keeps what it printed: benchmarks/results/NAME.txt, committed with what it measured.

docs/benchmarks.md shows the same text; a result that is kept replaces the one before it there.
"""

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import describe_machine

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def add_result_option(arguments: argparse.ArgumentParser, name: str) -> None:
    """Let the person say where the result goes; by default to the kept file, ``-`` is nowhere."""
    arguments.add_argument("--result", default=str(RESULTS / f"{name}.txt"), metavar="FILE")


def head(command: str, **versions: str) -> list[str]:
    """Return the first lines of a result: the command, the day, the machine and the versions."""
    facts = {
        "command": command,
        "day": datetime.now(UTC).date().isoformat(),
        **describe_machine(),
        **versions,
    }
    return [f"{name}: {value}" for name, value in facts.items()]


def keep(lines: list[str], result: str) -> None:
    """Print the lines, and write them to the file unless it is ``-``."""
    text = "\n".join(lines) + "\n"
    print(text, end="", flush=True)
    if result != "-":
        Path(result).parent.mkdir(parents=True, exist_ok=True)
        Path(result).write_text(text)
    if Path(result).parent == RESULTS:
        PAGE.write_text(shown_on(PAGE.read_text(), text, Path(result).stem))


def shown_on(page: str, text: str, name: str) -> str:
    """Return the page with a result in the place of the last one of that command."""
    block = re.compile(rf"(?<=^```\n)command: python -m benchmarks\.{name} .*?(?=^```$)", re.M | re.S)
    return block.sub(lambda _: text, page)
