"""Commands and links that our pages name exist."""

import re
import shlex
from pathlib import Path

import pytest

from tools import commands
from tools.places import ROOT, management_command

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
PAGES = [page for page in PAGES if page.exists()]
_DEV = re.compile(r"^\s*(?:[A-Z_]+=\S+ )*\./dev ([^#`\n]+)|`(?:[A-Z_]+=\S+ )*\./dev ([^`#]+)`", re.M)
_MANAGE = re.compile(r"manage\.py (\w+)")
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
_DJANGO = frozenset({"migrate", "collectstatic", "createsuperuser", "makemigrations", "shell", "check"})


def _example(word: str) -> str:
    """Return something to put where a page says N or DIR."""
    return "8001" if word == "N" else word.lower() if word.isupper() else word


def _dev_commands(page: Path) -> list[str]:
    found = [(a or b).strip() for a, b in _DEV.findall(page.read_text())]
    return [re.sub(r"[\[\]]|\.\.\.", "", command) for command in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_is_understood(page: Path) -> None:
    for command in _dev_commands(page):
        words = [_example(word) for word in shlex.split(command)]
        try:
            commands.parser().parse_args(words)
        except SystemExit as end:
            assert end.code == 0, f"{page.name}: ./dev {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_management_command_that_a_page_names_exists(page: Path) -> None:
    named = set(_MANAGE.findall(page.read_text())) - _DJANGO
    assert not [name for name in named if management_command(name) is None]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [target for target in _LINK.findall(page.read_text()) if not (page.parent / target).exists()]
    assert not broken


def test_the_readme_names_the_two_commands() -> None:
    named = " ".join(_dev_commands(ROOT / "README.md"))
    assert "up" in named.split()
    assert "test" in named.split()
