"""Change or retire one object of a definition, by the same rules as a whole file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from controlplane.accounts.services import audit
from controlplane.contracts import definition
from controlplane.contracts.model import Definition
from controlplane.kernel.errors import Conflict, FieldError, NotFound, Refused
from controlplane.registry import selectors
from controlplane.registry.domain import canonical
from controlplane.registry.domain.kinds import Defined, Kind
from controlplane.registry.domain.plans import Plan
from controlplane.registry.models import Project
from controlplane.registry.services.applying import UNCONDITIONAL, Applied, Author, Conditions, change_project
from controlplane.registry.services.bundles import build_bundle, lock_registry
from controlplane.registry.services.claims import claimed
from controlplane.registry.services.guarding import foreign_stores, refuse_hostile
from controlplane.registry.services.planning import make_plan


@dataclass(frozen=True, slots=True)
class Expected:
    """What the caller believes is there: one of ``digests`` (If-Match; empty: anything, but something), or
    nothing at all (``is_absent``, If-None-Match: *)."""

    digests: frozenset[str] | None = None
    is_absent: bool = False


ANYTHING = Expected()


def put_object(
    project: str,
    kind: Kind,
    name: str,
    body: object,
    *,
    author: Author,
    now: datetime,
    expected: Expected = ANYTHING,
    conditions: Conditions = UNCONDITIONAL,
) -> Applied:
    """Make ``name`` what ``body`` (one object of a definition file) says; the rest stays.

    Raises as ``apply_definition`` does, and ``Conflict("changed_meanwhile")``.
    """
    if not selectors.project_exists(project):
        raise NotFound("not_found", f"There is no project {project!r}.")
    document = {kind.plural: [_named(body, kind, name)]}

    def make() -> Plan:
        before = selectors.find_definition(project)
        _check(expected, kind.find(before, name))
        try:
            file = definition.parse(document, project=project, known=before, foreign_stores=foreign_stores())
            refuse_hostile(file)
        except Refused as refused:
            raise _about_one(refused, kind) from refused
        return make_plan(before, after=definition.merge(before, file), now=now)

    return change_project(project, make, author=author, conditions=conditions, now=now)


def retire_object(
    project: str, kind: Kind, name: str, *, author: Author, now: datetime, expected: Expected = ANYTHING
) -> Applied:
    """Retire ``name``: it leaves the bundle, its history stays. ``Conflict("still_referenced")`` lists those
    that still name it."""

    def make() -> Plan:
        before = selectors.find_definition(project)
        found = kind.find(before, name)
        if found is None:
            raise NotFound("not_found", f"There is no {kind.words} {name!r} in project {project!r}.")
        _check(expected, found)
        _refuse_references(f"The {kind.words} {name}", kind.referrers(before, name))
        return make_plan(before, after=kind.without(before, name), now=now)

    return change_project(project, make, author=author, now=now)


def create_project(project: str, *, author: Author, now: datetime) -> Applied:
    """Make an empty project, or leave one as it is."""

    def make() -> Plan:
        before = selectors.find_definition(project)
        return make_plan(before, after=before, now=now)

    return change_project(project, make, author=author, now=now)


def retire_project(project: str, *, author: Author, now: datetime) -> None:
    """Retire an empty project; ``Conflict("still_referenced")`` lists what still lives in it."""
    with claimed(project, now=now), transaction.atomic():
        registry = lock_registry()
        row = Project.objects.filter(name=project, retired_at=None).first()
        if row is None:
            raise NotFound("not_found", f"There is no project {project!r}.")
        _refuse_references(f"The project {project}", _living(selectors.find_definition(project)))
        row.retired_at = row.changed_at = now
        row.save()
        audit.record(
            actor=author.name,
            project=project,
            action="retire",
            object_kind="project",
            object_name=project,
            now=now,
            address=author.address,
        )
        build_bundle(registry, now=now)


def digest_of(defined: Defined) -> str:
    """Return the digest by which ``Expected`` knows an object: its ETag."""
    return canonical.digest(canonical.dump(defined.to_document()))


def _named(body: object, kind: Kind, name: str) -> object:
    """Return the object with the name of its address, without what only answers carry."""
    if not isinstance(body, Mapping):
        return body  # parse says what is wrong with it
    if body.get("name", name) != name:
        raise Refused("bad_value", f"The {kind.words} is named {body['name']!r}, its address says {name!r}.")
    return {key: value for key, value in body.items() if key not in kind.read_only} | {"name": name}


def _about_one(refused: Refused, kind: Kind) -> Refused:
    """Return the refusal with paths that start in the object, as it was sent, not in a file around it."""
    around = f"{kind.plural}[0]."
    errors = [FieldError(e.path.removeprefix(around), e.code, e.message) for e in refused.errors]
    return Refused(refused.code, refused.detail.replace(around, ""), errors=errors)


def _check(expected: Expected, found: Defined | None) -> None:
    if expected.is_absent and found is not None:
        raise Conflict("changed_meanwhile", f"{found.name} is there already.")
    if expected.digests is None:
        return
    if found is None or (expected.digests and digest_of(found) not in expected.digests):
        raise Conflict("changed_meanwhile", "It changed since it was read: read it again.")


def _refuse_references(what: str, referrers: list[str]) -> None:
    if referrers:
        errors = [FieldError(path, "still_referenced", f"{path} names it") for path in referrers]
        raise Conflict("still_referenced", f"{what} is still used: {', '.join(referrers)}.", errors=errors)


def _living(whole: Definition) -> list[str]:
    return [
        *(f"entity.{each.name}" for each in whole.entities),
        *(f"source.{each.name}" for each in whole.sources),
        *(f"feature_view.{each.name}" for each in whole.feature_views),
        *(f"feature_service.{each.name}" for each in whole.feature_services),
    ]
