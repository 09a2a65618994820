"""Options and profiles for every test."""

import pytest
from hypothesis import settings

settings.register_profile("freshline", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("freshline")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite", action="store_true", help="write the golden files anew instead of comparing with them"
    )
