"""The files that the rules of the house are about."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tools.places import PACKAGES, ROOT

_NOT_OURS = frozenset(
    {".git", ".venv", ".tools", ".freshline", ".test-servers", "node_modules", "dist", "bin", "__pycache__"}
    | {".ruff_cache", ".mypy_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache", "test-results"}
)


@cache
def ours(*suffixes: str) -> tuple[Path, ...]:
    """Return all our files of some suffixes, wherever they lie."""
    return tuple(path for path in _walk(ROOT) if path.suffix in suffixes)


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name in _NOT_OURS:
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def python_of_the_product() -> list[Path]:
    """Return the Python of the product: no tests, tools or migrations."""
    folders = [ROOT / name for name in PACKAGES]
    return [
        path
        for path in ours(".py")
        if any(path.is_relative_to(folder) for folder in folders) and "migrations" not in path.parts
    ]


def go_of_the_product() -> list[Path]:
    """Return the Go of serving without its tests."""
    return [path for path in ours(".go") if not path.name.endswith("_test.go")]


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a Python file parsed."""
    return ast.parse(path.read_text(), filename=str(path))


def place(path: Path, line: int) -> str:
    """Return ``folder/file.py:12``."""
    return f"{path.relative_to(ROOT)}:{line}"


def dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` of a chain of names; empty for anything else."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, ast.Name) else ""


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call in a Python file with the dotted name of what is called."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and (name := dotted(node.func)):
            yield name, node
