"""The folders under which local sources may lie, as settings give them."""

from pathlib import Path

from django.conf import settings

from controlplane.kernel import source_roots


def first_root() -> Path:
    """Return the folder that a relative path starts from."""
    roots: list[Path] = settings.FRESHLINE_SOURCE_ROOTS
    return roots[0]


def find_files(uri: str) -> list[Path]:
    """Return the files behind ``uri``; ``Refused`` outside the roots or when there is none."""
    return source_roots.find_files(uri, settings.FRESHLINE_SOURCE_ROOTS)
