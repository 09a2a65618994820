"""Rules that every file keeps, whoever wrote it."""

import ast
import re

import pytest

from tests.architecture.sources import calls, go_of_the_product, ours, place, python_of_the_product, tree_of
from tools.places import ROOT

# A letter in brackets keeps a pattern from finding itself in this file.
_SKIPS = re.compile(
    r"pytest\.(?:mark\.)?(?:[s]kip|[x]fail|[i]mportorskip)"
    r"|\bt\.[S]kip|\b(?:it|test|describe)\.(?:[s]kip|[t]odo|[o]nly)\b"
)
_PERSONAL_PATH = re.compile(r"(?<![\w.])/(?:[h]ome|[U]sers|[w]ork|[r]oot)/\w")
_UNNUMBERED = re.compile(r"\b[T]ODO\b(?!.*#\d)|\b[F]IXME\b|\b[X]XX\b")
_CODE = (".py", ".go", ".ts", ".mjs", ".css", ".html")
_TEXTS = (*_CODE, ".md", ".toml", ".json", ".yml", ".yaml", ".txt", ".in")
_WALL_CLOCKS = frozenset(
    {"datetime.now", "datetime.utcnow", "datetime.datetime.now", "datetime.datetime.utcnow", "date.today"}
    | {"time.time", "time.time_ns", "timezone.now", "django.utils.timezone.now", "datetime.today"}
)


def _lines(pattern: re.Pattern[str], *suffixes: str) -> list[str]:
    return [
        f"{place(path, number)}: {line.strip()}"
        for path in ours(*suffixes)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if pattern.search(line)
    ]


def test_only_the_kernels_clock_reads_the_wall_clock() -> None:
    readers = [
        place(path, call.lineno)
        for path in python_of_the_product()
        for name, call in calls(path)
        if name in _WALL_CLOCKS and path != ROOT / "controlplane" / "kernel" / "clock.py"
    ]
    assert not readers


def test_only_the_command_line_prints() -> None:
    printers = [
        place(path, call.lineno)
        for path in python_of_the_product()
        if not path.is_relative_to(ROOT / "controlplane" / "cli")
        for name, call in calls(path)
        if name in ("print", "pprint.pprint", "sys.stdout.write")
    ]
    assert not printers


def test_no_test_is_passed_over() -> None:
    assert not _lines(_SKIPS, ".py", ".go", ".ts")


def test_no_file_knows_somebodys_folders() -> None:
    assert not _lines(_PERSONAL_PATH, *_TEXTS)


def test_what_is_to_be_done_is_an_issue() -> None:
    assert not _lines(_UNNUMBERED, *_CODE)


def test_imports_are_at_the_top() -> None:
    """One inside a function means that the layering is wrong; the rare exception says why on its line."""
    hidden = set()
    for path in python_of_the_product():
        lines = path.read_text().splitlines()
        functions = [
            n for n in ast.walk(tree_of(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        inside = [inner for function in functions for inner in ast.walk(function)]
        found = [node.lineno for node in inside if isinstance(node, ast.Import | ast.ImportFrom)]
        reason = re.compile(r"# noqa: PLC0415 - \w")
        hidden |= {place(path, line) for line in found if not reason.search(lines[line - 1])}
    assert not hidden


def test_everything_is_caught_only_in_outermost_loops_that_say_so() -> None:
    broad = []
    for path in python_of_the_product():
        lines = path.read_text().splitlines()
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler):
                caught = getattr(node.type, "id", None) if node.type else "everything"
                passed_on = any(isinstance(step, ast.Raise) and step.exc is None for step in node.body)
                explained = re.search(r"# noqa: BLE001 - \w", lines[node.lineno - 1])
                if caught in ("everything", "Exception", "BaseException") and not passed_on and not explained:
                    broad.append(place(path, node.lineno))
    assert not broad


def test_every_python_package_says_what_it_is() -> None:
    silent = [
        place(path, 1)
        for path in python_of_the_product()
        if path.name == "__init__.py" and not {"management", "commands"} & set(path.parts)
        if not ast.get_docstring(tree_of(path))
    ]
    assert not silent


def test_every_python_module_says_what_it_is() -> None:
    silent = [
        place(path, 1)
        for path in python_of_the_product()
        if tree_of(path).body and not ast.get_docstring(tree_of(path))
    ]
    assert not silent


def test_every_go_package_says_what_it_is() -> None:
    folders = {path.parent for path in go_of_the_product()}
    said = {
        path.parent
        for path in go_of_the_product()
        if re.search(
            r"^// (?:Package|Command) \w|^// [\w-]+ .*\n(?://.*\n)*package main", path.read_text(), re.M
        )
    }
    assert sorted(str(folder.relative_to(ROOT)) for folder in folders - said) == []


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("@pytest.mark." + "skip", _SKIPS),
        ("@pytest.mark." + "skipif(x)", _SKIPS),
        ("pytest." + "xfail('later')", _SKIPS),
        ("\tt." + "Skip()", _SKIPS),
        ("describe." + "skip('x')", _SKIPS),
        ("open('/" + "home/me/x')", _PERSONAL_PATH),
        ("# TO" + "DO later", _UNNUMBERED),
    ],
)
def test_the_rules_see_what_they_are_for(line: str, rule: re.Pattern[str]) -> None:
    assert rule.search(line)
