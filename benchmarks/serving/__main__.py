"""Every row of serving's speed table, beside Feast's Python feature server where it says so.

    python -m benchmarks.serving [--rows NAME ...] [--quick] [--entities N] [--rounds N] [--seconds N]

Makes an environment for Feast in .tools/feast (requirements/feast.txt) and a private Redis, fills it through
both products, and refuses to go on unless every server answers every value, status and event time as it was
written. Then it measures, prints what was aimed at and what was measured, and keeps text, JSON and a chart in
benchmarks/results. The rows:

    feast        requests/s beside Feast: 1 x 10, 100 x 100 and 1000 x 100
    feast-layout the same, serving from the rows that Feast wrote
    overhead     a lookup of 100 x 100 over a raw fetch of its rows
    slow-store   p95 at 1,000 requests/s over a store that answers in 20 ms
    enforcement  contracts enforced and left out, by one program
    values       decode and judge, nanoseconds a value

--quick is a run of seconds that shows that everything works; its figures show nothing.
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import results_file
from benchmarks.serving import beside_feast, comparing, contracts, keeping, processes, sides, store_rows
from benchmarks.serving.beside_feast import ON_FEASTS_LAYOUT, OWN
from benchmarks.serving.measuring import Load
from benchmarks.serving.outcomes import Part
from benchmarks.serving.processes import Side
from benchmarks.serving.table import write_table
from tools import feast_environment, toolchains
from tools.console import Failure, step

ROWS = ("feast", "feast-layout", "overhead", "slow-store", "enforcement", "values")
_QUICK = {"entities": 120, "rounds": 1, "seconds": 0.3, "connections": [2]}


def main() -> int:
    given = _arguments().parse_args()
    if given.quick:
        vars(given).update(_QUICK)
    try:
        lines, document = _run(given)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    results_file.keep(lines, given.result)
    keeping.keep(document, given.result)
    return 0


def _arguments() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="NAME")
    arguments.add_argument("--quick", action="store_true", help="a run of seconds, to see that it works")
    arguments.add_argument("--entities", type=int, default=5_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=5.0, help="of one round")
    arguments.add_argument("--connections", type=int, nargs="+", default=[1, 4])
    arguments.add_argument("--workers", type=int, nargs="*", default=[1, 2], help="Feast servers to run")
    results_file.add_result_option(arguments, "serving")
    return arguments


def _run(given: argparse.Namespace) -> tuple[list[str], dict[str, object]]:
    beside = bool({"feast", "feast-layout"} & set(given.rows))
    python = feast_environment.ensure() if given.workers and beside else None
    # Before anything of this command runs: what else the machine does.
    head = results_file.head(_command(given), **_versions(python))
    parts: list[Part] = []
    compared = ""
    with tempfile.TemporaryDirectory(prefix="freshline-benchmark-") as name:
        folder = Path(name)
        processes.build_programs(folder)
        load = Load(folder / "loadgen", given.rounds, given.seconds, given.entities)
        if set(given.rows) - {"values"}:
            parts, compared = _served(given, folder, load, python)
        if "values" in given.rows:
            with step("measuring values"):
                parts.append(contracts.measure_values(load, iterations="2000x" if given.quick else "1s"))
    head += [f"compared first: {compared}"] if compared else []
    return keeping.report(head, parts, load), keeping.document(head, parts)


def _served(
    given: argparse.Namespace, folder: Path, load: Load, python: Path | None
) -> tuple[list[Part], str]:
    """Return the parts that need servers, and what was compared before they were measured."""
    parts: list[Part] = []
    with ExitStack() as stack:
        write_table(folder / "table.parquet", given.entities, now=datetime.now(UTC))
        address = stack.enter_context(processes.redis(folder))
        store_url = f"redis://{address}/0"
        with step("filling Redis through Freshline's batch lane"):
            bundle = sides.fill_freshline(folder, address, folder / "table.parquet")
        own = stack.enter_context(sides.freshline(OWN, folder, bundle, store_url))
        all_sides = [own]
        if python:
            with step("filling Redis through Feast's materialisation"):
                repository = sides.fill_feast(folder, address, python, folder / "table.parquet")
            if "feast-layout" in given.rows:
                on_feasts = sides.freshline(ON_FEASTS_LAYOUT, folder, bundle, f"feast+{store_url}")
                all_sides.append(stack.enter_context(on_feasts))
            all_sides += stack.enter_context(sides.feast(folder, repository, python, workers=given.workers))
        compared = _compare(all_sides, pq.read_table(folder / "table.parquet"))
        if {"feast", "feast-layout"} & set(given.rows):
            with step("measuring beside Feast"):
                parts.append(_beside(given, all_sides, load))
        if "overhead" in given.rows:
            with step("measuring overhead"):
                parts.append(store_rows.measure_overhead(own, store_url, folder, load))
        if "slow-store" in given.rows:
            with step("measuring over a slow store"):
                parts.append(store_rows.measure_slow_store(folder, bundle, address, load))
        if "enforcement" in given.rows:
            with step("measuring enforcement"):
                parts.append(contracts.measure_enforcement(folder, bundle, store_url, load))
    return parts, compared


def _beside(given: argparse.Namespace, all_sides: list[Side], load: Load) -> Part:
    cases = beside_feast.measure(all_sides, given.connections, load)
    part = Part("feast", "Beside Feast's Python server, on the same Redis, JSON")
    for name, row in ((OWN, "feast"), (ON_FEASTS_LAYOUT, "feast-layout")):
        if row in given.rows:
            part.outcomes.extend(beside_feast.outcomes(cases, name))
    part.lines.extend(beside_feast.lines(cases))
    part.figures.extend(beside_feast.figures(cases))
    return part


def _compare(all_sides: list[Side], table: pa.Table) -> str:
    cells = 0
    for side in all_sides:
        with step(f"comparing the answers of {side.name} with the table"):
            cells, found = comparing.differences(side, table)
        if found:
            raise Failure(f"They differ, so there is nothing to measure:\n{comparing.shown(found)}")
    return f"{cells:,} values of each side, with status and event time, all as they were written"


def _command(given: argparse.Namespace) -> str:
    command = f"python -m benchmarks.serving --entities {given.entities}"
    command += f" --rounds {given.rounds} --seconds {given.seconds:g}"
    return command + (f" --rows {' '.join(given.rows)}" if set(given.rows) != set(ROWS) else "")


def _versions(python: Path | None) -> dict[str, str]:
    versions = {
        "Go": toolchains.find_go().version.removeprefix("go version "),
        "Redis": processes.redis_version(),
    }
    return versions | ({"Feast": sides.feast_version(python)} if python else {})


if __name__ == "__main__":
    sys.exit(main())
