"""What enforcing contracts costs: one program with and without it, and the decoder and judge alone."""

import re
import statistics
import subprocess
from pathlib import Path

from benchmarks.serving import sides
from benchmarks.serving.measuring import ARROW, LOOKUP_PATH, Load, ask, post
from benchmarks.serving.outcomes import Outcome, Part, number
from benchmarks.serving.table import HUNDRED
from tools import toolchains
from tools.console import Failure
from tools.places import SERVING

_PROGRAM = "benchserving"  # as the product's own, but for the flag that leaves contracts out


def measure_enforcement(folder: Path, bundle: Path, store_url: str, load: Load) -> Part:
    """Ask two processes of one program in turn, request by request: contracts enforced, and left out."""
    part = Part("enforcement", f"Contract enforcement on and off, {HUNDRED}")
    part.lines.append(f"{'asked in turn':16}{'p50 on, ms':>12}{'p50 off, ms':>12}")
    with (
        sides.freshline("enforced", folder, bundle, store_url, program=_PROGRAM) as on,
        sides.freshline(
            "unenforced", folder, bundle, store_url, program=_PROGRAM, words="-unenforced"
        ) as off,
    ):
        for form, path, accept, target in (("JSON", "", "", 3), ("Arrow", LOOKUP_PATH, ARROW, 5)):
            kind = {"path": path, "accept": accept} if path else {}
            pairs = [ask(load, HUNDRED, [post(on, **kind), post(off, **kind)]) for _ in range(load.rounds)]
            costs = tuple((with_it.p50_ms / without.p50_ms - 1) * 100 for with_it, without in pairs)
            with_it, without = (statistics.median(pair[place].p50_ms for pair in pairs) for place in (0, 1))
            part.lines.append(f"{form:16}{with_it:>12.3f}{without:>12.3f}")
            part.figures.append({"form": form, "on_p50_ms": with_it, "off_p50_ms": without})
            part.outcomes.append(
                Outcome(
                    what=f"contract enforcement, {form}, {HUNDRED}: of p50",
                    target=target,
                    measured=statistics.median(costs),
                    unit=" %",
                    rounds=costs,
                )
            )
    return part


def measure_values(load: Load, *, iterations: str) -> Part:
    """Run the benchmark of the decoder and the judge; strings are shown apart and have no target."""
    go = toolchains.find_go()
    command = [go.program("go"), "test", "-run", "-", "-bench", "DecodeAndJudge", "-benchmem"]
    command += ["-count", str(load.rounds), "-benchtime", iterations, "./internal/enforce"]
    done = subprocess.run(
        command, cwd=SERVING, env=go.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failure(f"the benchmark of the decoder and the judge failed:\n{done.stdout}{done.stderr}")
    part = Part("values", "Decoding and judging 100 rows, processor time for each value")
    part.lines.append(f"{'dtype, rows x columns':28}{'ns a value':>12}{'allocations':>13}")
    for name, costs, allocations in _parsed(done.stdout):
        cost = statistics.median(costs)
        part.lines.append(f"{name:28}{number(cost):>12}{allocations:>13}")
        part.figures.append({"what": name, "ns": cost, "allocations": allocations})
        if name.startswith("string") or not name.endswith("x100"):
            continue
        part.outcomes.append(
            Outcome(f"decode and enforce {name}: a value", 4, cost, " ns", rounds=tuple(costs))
        )
        part.outcomes.append(Outcome(f"decode and enforce {name}: allocations", 0, allocations, ""))
    return part


def _parsed(text: str) -> list[tuple[str, list[float], int]]:
    """Return for each benchmark its name, nanoseconds a value by run, and allocations."""
    found: dict[str, tuple[list[float], list[int]]] = {}
    pattern = r"^BenchmarkDecodeAndJudge/(\S+?)(?:-\d+)?\s.*?([\d.]+) cpu-ns/value.*?(\d+) allocs/op"
    for name, cost, allocations in re.findall(pattern, text, re.M):
        costs, counts = found.setdefault(name.replace("/", " "), ([], []))
        costs.append(float(cost))
        counts.append(int(allocations))
    return [(name, costs, max(counts)) for name, (costs, counts) in found.items()]
