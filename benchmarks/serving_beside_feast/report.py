"""The report of a run as lines of text."""

from collections.abc import Iterator, Sequence

from benchmarks.serving_beside_feast.measuring import Load, Measured


def table(measured: Sequence[Measured]) -> Iterator[str]:
    """Yield one line for each shape, number of connections and side."""
    yield (
        f"{'rows x features':16}{'connections':>12}  {'side':18}{'requests/s':>11}"
        f"{'p50 ms':>9}{'p99 ms':>9}{'cpu ms':>9}{'times':>7}{'answer kB':>11}{'client':>8}  by round"
    )
    first: dict[tuple[str, int], float] = {}
    for each in measured:
        base = first.setdefault((str(each.shape), each.connections), each.per_second)
        rounds = ", ".join(map(_rate, each.rates))
        yield (
            f"{each.shape!s:16}{each.connections:>12}  {each.side:18}{_rate(each.per_second):>11}"
            f"{each.p50_ms:>9.2f}{each.p99_ms:>9.2f}{each.server_ms:>9.3f}{base / each.per_second:>7.1f}"
            f"{each.answer_bytes / 1000:>11.1f}{each.client_share:>8.0%}  {rounds}"
        )


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.2f}"


def explanation(load: Load) -> Iterator[str]:
    """Yield what a reader must know to judge the table."""
    yield f"Medians of {load.rounds} rounds of {load.seconds:g} s, the sides in turn, all on one machine."
    yield "Each connection sends its next request when it has read the whole answer (a closed loop)."
    yield "cpu ms: processor time of the server for one request, which other load hardly moves."
    yield "times: how many times as many requests Freshline answers."
    yield "client: the load client's share of a core; it, Redis and the server share the cores."
    yield "Both read the same Redis, each in its own layout, and answer the same request by feature service."
    yield "Freshline checks every row (checksum, age) and value (null, domain); Feast checks none."
