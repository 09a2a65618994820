"""What a lookup takes beyond the store: over a raw fetch of its rows, and over a store that is slow."""

import statistics
from pathlib import Path

from benchmarks.serving import processes, sides
from benchmarks.serving.measuring import ARROW, LOOKUP_PATH, Answers, Load, ask, fetch, median, post
from benchmarks.serving.outcomes import Outcome, Part
from benchmarks.serving.processes import Side
from benchmarks.serving.table import HUNDRED, ONE

DELAY_MS = 20
RATE = 1_000  # requests a second
_CONNECTIONS = 128  # of the open loop: far more than are under way at once


def measure_overhead(server: Side, store_url: str, folder: Path, load: Load) -> Part:
    """Ask for the rows themselves, for Arrow, for JSON, and for as many bytes of nothing, in turn."""
    names = ("raw fetch of rows", "lookup, Arrow", "lookup, JSON", "HTTP alone, Arrow", "HTTP alone, JSON")
    lookups = [post(server, path=LOOKUP_PATH, accept=ARROW), post(server)]
    sizes = [round(said.answer_bytes) for said in ask(load, HUNDRED, lookups, seconds=load.seconds / 10)]
    with processes.bare_answers(folder) as bare:
        targets = [fetch(store_url), *lookups, *(post(bare, path=f"/{size}") for size in sizes)]
        rounds = [ask(load, HUNDRED, targets) for _ in range(load.rounds)]
    part = Part("overhead", f"Overhead over a raw fetch from the store, {HUNDRED}")
    part.lines.append(f"{'asked in turn':24}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'kB':>9}")
    for place, name in enumerate(names):
        said = median([each[place] for each in rounds])
        part.lines.append(_line(name, said))
        part.figures.append({"what": name, "p50_ms": said.p50_ms, "p99_ms": said.p99_ms})
    for place, quantile, target in (
        (1, "p50_ms", 0.5),
        (2, "p50_ms", 1.2),
        (1, "p99_ms", 2),
        (2, "p99_ms", 2),
    ):
        over = tuple(getattr(each[place], quantile) - getattr(each[0], quantile) for each in rounds)
        part.outcomes.append(
            Outcome(
                what=f"{names[place]}, {HUNDRED}: {quantile.removesuffix('_ms')} over a raw fetch",
                target=target,
                measured=statistics.median(over),
                unit=" ms",
                rounds=over,
            )
        )
    return part


def measure_slow_store(folder: Path, bundle: Path, redis_address: str, load: Load) -> Part:
    """Ask at a fixed rate over a store whose answers take DELAY_MS; times are from when a request was due."""
    part = Part(
        "slow-store", f"A store that answers in {DELAY_MS} ms, {ONE}, {RATE:,} requests/s (open loop)"
    )
    with processes.delayed(folder, redis_address, DELAY_MS) as address:
        store_url = f"redis://{address}/0"
        with sides.freshline("over a slow store", folder, bundle, store_url) as server:
            rounds = []
            for _ in range(load.rounds):
                (store,) = ask(load, ONE, [fetch(store_url)], connections=_CONNECTIONS, rate=RATE)
                (said,) = ask(load, ONE, [post(server)], connections=_CONNECTIONS, rate=RATE)
                rounds.append((store, said))
    part.lines.append(f"{'each at that rate':24}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'kB':>9}")
    for place, name in enumerate(("raw fetch of the row", "lookup, JSON")):
        said = median([each[place] for each in rounds])
        part.lines.append(_line(name, said))
        part.figures.append(
            {"what": name, "p50_ms": said.p50_ms, "p95_ms": said.p95_ms, "per_second": said.per_second}
        )
    late = tuple(said.p95_ms for _, said in rounds)
    part.outcomes.append(
        Outcome(
            what=f"a store that answers in {DELAY_MS} ms, {RATE:,} requests/s of {ONE}: p95",
            target=22,
            measured=statistics.median(late),
            unit=" ms",
            rounds=late,
        )
    )
    return part


def _line(name: str, said: Answers) -> str:
    return (
        f"{name:24}{said.p50_ms:>9.2f}{said.p95_ms:>9.2f}{said.p99_ms:>9.2f}{said.answer_bytes / 1000:>9.1f}"
    )
