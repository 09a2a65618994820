"""What the pages of docs/reference say about the code, written from the code."""

import ast
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass

from drf_spectacular.generators import SchemaGenerator

from controlplane.accounts.openapi import ACCESS
from controlplane.cli.main import COMMANDS
from controlplane.cli.surroundings import VARIABLES
from controlplane.kernel.codes import CODES
from controlplane.kernel.metrics import PREFIX
from controlplane.project.environment import SETTINGS
from monitors.domain.kinds import KINDS, KindSpec, Unit
from tests.architecture.sources import calls, go_of_the_product, python_of_the_product

_KINDS = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram", "Summary": "summary"}
_FAMILIES = {f"{name}MetricFamily": kind for name, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """One metric of the control plane, by the name under which it is exported."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


def settings_table() -> str:
    """Return every setting of the control plane as a Markdown table."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for setting in SETTINGS:
        default = f"`{setting.default}`" if setting.default else "(empty)"
        secret = " **Secret.**" if setting.secret else ""
        lines.append(f"| `{setting.name}` | {default} | {_cell(setting.meaning)}{secret} |")
    return "\n".join(lines)


def errors_table() -> str:
    """Return every error code as a Markdown table."""
    lines = ["| code | meaning |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{code}` | {_cell(CODES[code])} |" for code in sorted(CODES))])


def calls_table() -> str:
    """Return every call of the REST API, with what its caller needs, as a Markdown table."""
    lines = ["| call | scope | role | of | what |", "| --- | --- | --- | --- | --- |"]
    schema = SchemaGenerator().get_schema(request=None, public=True)
    for path, methods in sorted(schema["paths"].items()):
        for method, operation in methods.items():
            needed = operation[ACCESS]
            words = f"`{needed['scope']}` | {needed['role']} | {needed['of']} | {_cell(operation['summary'])}"
            lines.append(f"| `{method.upper()} {path.removeprefix('/api/v1')}` | {words} |")
    return "\n".join(lines)


def commands_table() -> str:
    """Return every command of ``freshline`` with its words, as its own --help tells them."""
    lines = ["| command | what | words of its own |", "| --- | --- | --- |"]
    for command in COMMANDS:
        parser = ArgumentParser(prog=f"freshline {command.name}", add_help=False)
        command.add_words(parser)
        usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
        words = usage.removeprefix(f"freshline {command.name}").strip()
        lines.append(f"| `{command.name}` | {_cell(command.help)} | {f'`{_cell(words)}`' if words else ''} |")
    lines += ["", "| variable | meaning |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{name}` | {_cell(text)} |" for name, text in VARIABLES.items())])


def metrics_table() -> str:
    """Return every metric that the control plane's code declares as a Markdown table."""
    lines = ["| metric | kind | labels | meaning |", "| --- | --- | --- | --- |"]
    for metric in sorted(declared_metrics()):
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {_cell(metric.help)} |")
    return "\n".join(lines)


def monitors_table() -> str:
    """Return every kind of monitor as a Markdown table."""
    lines = ["| kind | family | what it does | warn | limit |", "| --- | --- | --- | --- | --- |"]
    for kind, spec in KINDS.items():
        does = _cell((spec.measure.__doc__ or "").strip())
        lines.append(
            f"| `{kind}` | {spec.family} | {does} | {_bound(spec, 'warn')} | {_bound(spec, 'limit')} |"
        )
    return "\n".join(lines)


def _bound(spec: KindSpec, name: str) -> str:
    """Return a default bound; those of ages come from the contract, and an event is its own limit."""
    if spec.unit is Unit.EVENT:
        return ""
    if spec.unit is Unit.AGE:
        return {"warn": "`warn_after`", "limit": "`max_age`"}[name]
    return f"{getattr(spec, name):.0%}"


def declared_metrics() -> Iterator[Metric]:
    """Yield what the code declares with prometheus_client."""
    for path in python_of_the_product():
        if "prometheus_client" not in path.read_text():
            continue
        for called, call in calls(path):
            kind = {**_KINDS, **_FAMILIES}.get(called.rpartition(".")[2])
            if kind:
                yield _metric(kind, call)


def _metric(kind: str, call: ast.Call) -> Metric:
    name, meaning = _text(call.args[0]), _text(call.args[1])
    given = [word.value for word in call.keywords if word.arg in ("labelnames", "labels")]
    given += call.args[2:3]
    labels = [_text(item) for node in given for item in getattr(node, "elts", ())]
    if kind == "counter" and not name.endswith("_total"):
        name += "_total"  # as prometheus_client exports it
    return Metric(name, kind, tuple(labels), meaning)


def _text(node: ast.expr) -> str:
    """Return a string as written, with the one prefix filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return PREFIX
    assert isinstance(node, ast.Constant), "declare metrics with literal names, so that they can be listed"
    return str(node.value)


def names_in_go(pattern: str) -> set[str]:
    """Return what a pattern's one group finds in serving's code."""
    return {name for path in go_of_the_product() for name in re.findall(pattern, path.read_text())}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("{home}", "HOME")
