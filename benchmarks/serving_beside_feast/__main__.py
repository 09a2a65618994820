"""Lookups beside Feast's Python feature server, on the same Redis, over the same values.

    python -m benchmarks.serving_beside_feast [--entities N] [--rounds N] [--seconds N]

Makes an environment for Feast in .tools/feast (requirements/feast.txt) and a private Redis, fills it through
both products, refuses to go on unless both answer every value, status and event time as it was written, then
measures 1 entity x 10 features and 100 x 100. Prints both sides and keeps the text in benchmarks/results.
"""

import argparse
import re
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks import results_file
from benchmarks.serving_beside_feast import comparing, report, servers
from benchmarks.serving_beside_feast.measuring import Load, measure
from benchmarks.serving_beside_feast.table import SHAPES, write_table
from tools import feast_environment, toolchains
from tools.console import Failure, run, step


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--entities", type=int, default=5_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=5.0, help="of one round")
    arguments.add_argument("--connections", type=int, nargs="+", default=[1, 4])
    arguments.add_argument("--workers", type=int, nargs="*", default=[1, 2], help="Feast servers to run")
    results_file.add_result_option(arguments, "serving_beside_feast")
    given = arguments.parse_args()
    try:
        lines = _run(given)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    results_file.keep(lines, given.result)
    return 0


def _run(given: argparse.Namespace) -> list[str]:
    python = feast_environment.ensure() if given.workers else None
    with tempfile.TemporaryDirectory(prefix="freshline-benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        load = Load(servers.build_programs(folder), given.rounds, given.seconds, tuple(given.connections))
        write_table(folder / "table.parquet", given.entities, now=datetime.now(UTC))
        address = stack.enter_context(servers.redis(folder))
        with step("filling Redis through Freshline's batch lane"):
            sides = [stack.enter_context(servers.freshline(folder, address))]
        if python:
            table = folder / "freshline" / "data" / "table.parquet"
            with step("filling Redis through Feast's materialisation"):
                fed = servers.feast(folder, address, python, table, workers=given.workers)
                sides += stack.enter_context(fed)
        lines = _head(given, python)
        lines += [_compare(sides, folder / "freshline" / "data" / "table.parquet"), ""]
        with step("measuring"):
            measured = measure(sides, SHAPES, load, entities=given.entities, folder=folder)
    return [*lines, *report.table(measured), "", *report.explanation(load)]


def _compare(sides: list[servers.Side], path: Path) -> str:
    table, cells = pq.read_table(path), 0
    for side in sides:
        with step(f"comparing the answers of {side.name} with the table"):
            cells, found = comparing.differences(side, table)
        if found:
            raise Failure(f"They differ, so there is nothing to measure:\n{comparing.shown(found)}")
    return f"compared first: {cells:,} values with status and event time, all as they were written"


def _head(given: argparse.Namespace, python: Path | None) -> list[str]:
    command = f"python -m benchmarks.serving_beside_feast --entities {given.entities}"
    command += f" --rounds {given.rounds} --seconds {given.seconds:g}"
    versions = {
        "Go": toolchains.find_go().version.removeprefix("go version "),
        "Redis": re.sub(r".*v=(\S+).*", r"\1", run(["redis-server", "--version"]).strip()),
    }
    if python:
        said = run([python, "-c", "import feast; print(feast.__version__)"])
        versions["Feast"] = said.strip().splitlines()[-1]
    return results_file.head(command, **versions)


if __name__ == "__main__":
    sys.exit(main())
