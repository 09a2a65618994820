"""What a run leaves: text for people, JSON for machines, and a chart for the README, side by side."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.serving import chart
from benchmarks.serving.measuring import Load
from benchmarks.serving.outcomes import Part, outcome_table


def report(head: Sequence[str], parts: Sequence[Part], load: Load) -> list[str]:
    """Return the report as lines: the machine, the targets, then what is behind them."""
    outcomes = [outcome for part in parts for outcome in part.outcomes]
    lines = [*head, "", *(outcome_table(outcomes) if outcomes else ())]
    for part in parts:
        lines += ["", part.title, *part.lines]
    return [*lines, "", *_explanation(load)]


def _explanation(load: Load) -> Iterator[str]:
    yield f"Medians of {load.rounds} rounds of {load.seconds:g} s, the sides in turn, all on one machine."
    yield "Unless a rate is named, each connection sends its next request when it has read the whole answer."
    yield "cpu ms: processor time of the server for one request, which other load hardly moves."
    yield "times: how many times as many requests Freshline answers over its own layout."
    yield "client: the load client's share of a core; it, Redis and the server share the cores."
    yield "All read the same Redis, each in the layout named, and answer the same request by feature service."
    yield "Freshline checks every row (checksum, age) and value (null, domain); Feast checks none."


def document(head: Sequence[str], parts: Sequence[Part]) -> dict[str, object]:
    """Return the run for machines."""
    return {
        "format": 1,
        "about": dict(line.split(": ", 1) for line in head),
        "targets": [outcome.as_document() for part in parts for outcome in part.outcomes],
        "parts": {part.name: part.figures for part in parts},
    }


def keep(document: dict[str, object], result: str) -> None:
    """Write the JSON and the chart beside the text, unless that goes nowhere (``-``)."""
    if result == "-":
        return
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    Path(result).with_suffix(".json").write_text(text)
    drawn = chart.draw(json.loads(text))
    if drawn:
        Path(result).with_suffix(".svg").write_text(drawn)
