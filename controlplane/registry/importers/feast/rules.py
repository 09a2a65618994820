"""Whether a definition file may hold a record: asked of those who read definition files."""

from collections.abc import Callable

from controlplane.contracts.definition.reading import Fields, Problems
from controlplane.contracts.model import Document
from controlplane.kernel.errors import Refused


def why_refused(document: Document, read: Callable[[Fields], object], *, what: str) -> str | None:
    """Return what is wrong with the object ``document``, as its reader says it; None where nothing is."""
    problems = Problems()
    read(Fields(document, path="", what=what, problems=problems))
    try:
        problems.raise_any()
    except Refused as refused:
        return refused.detail
    return None
