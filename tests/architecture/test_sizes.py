"""No file of 400 lines, no function of 60: what is longer says two things."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import ours, place, tree_of
from tools.places import ROOT

LONGEST_FILE = 399
LONGEST_FUNCTION = 59

_GO_FUNCTION = re.compile(r"func\b")
_TYPESCRIPT_FUNCTION = re.compile(
    r"(?P<indent>\s*)(?!(?:if|for|while|switch|catch|else|return|describe|test|it)\b)"
    r"(?:(?:export|default|async|static|private|protected|public|readonly|get|set|function|const|let)\s+)*"
    r"[\w$#]*\s*(?:<[^>]*>)?(?:=\s*(?:async\s*)?)?\(.*\{\s*$"
)


def _python_functions(path: Path) -> Iterator[tuple[int, int]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.lineno, node.end_lineno - node.lineno + 1


def _braced_functions(path: Path, begins: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield (line, length) of functions in formatted code: a body ends where its indent meets a brace."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if begins.match(line) and line.rstrip().endswith("{"):
            indent = line[: len(line) - len(line.lstrip())]
            for end in range(number + 1, len(lines)):
                if lines[end].startswith(f"{indent}}}"):
                    yield number + 1, end - number + 1
                    break


def _functions(path: Path) -> Iterator[tuple[int, int]]:
    if path.suffix == ".py":
        yield from _python_functions(path)
    elif path.suffix == ".go":
        yield from _braced_functions(path, _GO_FUNCTION)
    elif path.suffix == ".ts":
        yield from _braced_functions(path, _TYPESCRIPT_FUNCTION)


def test_every_file_is_under_400_lines() -> None:
    files = (*ours(".py", ".go", ".ts", ".css", ".html", ".mjs"), ROOT / "dev", ROOT / ".ci" / "run")
    sizes = {path: len(path.read_text().splitlines()) for path in files}
    assert not [f"{place(path, size)}" for path, size in sizes.items() if size > LONGEST_FILE]


def test_every_function_is_under_60_lines() -> None:
    long = [
        f"{place(path, line)}: {length} lines"
        for path in ours(".py", ".go", ".ts")
        if "migrations" not in path.parts
        for line, length in _functions(path)
        if length > LONGEST_FUNCTION
    ]
    assert not long


def test_the_lengths_of_functions_are_seen_in_every_language(tmp_path: Path) -> None:
    body = "\n".join(["    x = 1"] * 60)
    examples = {
        "a.py": f"def f():\n{body}\n",
        "a.go": f"func (s *Store) F(x int) error {{\n{body}\n}}\n",
        "a.ts": f"export async function f(x: number): Promise<void> {{\n{body}\n}}\n",
        "method.ts": f"class A {{\n  private f(x: number): void {{\n{body}\n  }}\n}}\n",
        "arrow.ts": f"const f = (x: number): void => {{\n{body}\n}};\n",
    }
    for name, text in examples.items():
        path = tmp_path / name
        path.write_text(text)
        assert [length for _, length in _functions(path) if length > LONGEST_FUNCTION], name
