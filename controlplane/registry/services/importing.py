"""Say a project of another product as a definition file; registering it is for plan and apply."""

from controlplane.contracts import definition
from controlplane.contracts.model import Definition
from controlplane.kernel import names
from controlplane.kernel.errors import FieldError, Refused
from controlplane.kernel.names import DEFAULT_STORE
from controlplane.registry import selectors
from controlplane.registry.importers import feast
from controlplane.registry.services.guarding import foreign_stores, refuse_unknown_store


def import_feast(
    project: str, registry: bytes, *, feast_project: str | None = None, store: str | None = None
) -> feast.Imported:
    """Return the definition of ``project`` that a registry file of Feast's gives, and what it leaves behind.

    ``feast_project``: the project in the file; None is the one named like ours, else the only one.
    ``store``: the store of the project; in one that Feast writes, views have no lanes. None is the one in
    which the project lives already, else the default one.
    """
    names.check(project, what="project")
    file = Definition(project, store=names.check(store, what="store") if store else None)
    refuse_unknown_store(file)
    lives_in = store or selectors.find_definition(project).store or DEFAULT_STORE
    found = feast.read_registry(registry)
    chosen = feast.choose_project(found, named=feast_project, project=project)
    is_foreign = lives_in in foreign_stores()
    if is_foreign and chosen != project:
        message = (
            f"Feast writes its project's name into each key: there, {chosen} can be read as {chosen} only"
        )
        raise Refused("bad_value", message, errors=[FieldError("project", "bad_value", message)])
    imported = feast.convert(found, chosen, project=project, store=store, is_written_by_feast=is_foreign)
    # What was asked rule by rule above must hold as a whole too: too many views, say.
    foreign = [store or DEFAULT_STORE] if is_foreign else []
    definition.parse(imported.definition.to_document(), project=project, foreign_stores=foreign)
    return imported
