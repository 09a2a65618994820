"""Make a definition true: all of it or nothing, one change of a project at a time, with its bundle."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from controlplane.accounts.services import audit
from controlplane.accounts.services.teams import ensure_team
from controlplane.kernel import names
from controlplane.kernel.errors import Conflict, FieldError, Forbidden, Refused
from controlplane.kernel.names import DEFAULT_STORE
from controlplane.registry.domain.plans import Plan
from controlplane.registry.domain.records import BundleRecord
from controlplane.registry.models import Project
from controlplane.registry.services.bundles import build_bundle, lock_registry
from controlplane.registry.services.claims import claimed
from controlplane.registry.services.planning import plan_definition
from controlplane.registry.services.storing import Writer


@dataclass(frozen=True, slots=True)
class Author:
    """Who applies, from where. Only an administrator of the installation may make a project."""

    name: str
    address: str = ""
    may_create_projects: bool = False


@dataclass(frozen=True, slots=True)
class Conditions:
    """How an apply may go: ``force`` with a ``reason`` lets breaking changes pass; ``plan`` is the digest of
    the plan that was read."""

    force: bool = False
    reason: str = ""
    plan: str | None = None


UNCONDITIONAL = Conditions()


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, and the bundle that says so."""

    plan: Plan
    bundle: BundleRecord


def apply_definition(
    project: str,
    document: object,
    *,
    author: Author,
    now: datetime,
    retire_absent: bool = False,
    conditions: Conditions = UNCONDITIONAL,
) -> Applied:
    """Make ``document`` (a parsed definition file) true in ``project``.

    Raises ``Refused`` with every problem of the file; ``Conflict`` breaking_change with the changes,
    plan_outdated, apply_in_progress or purge_pending; ``Forbidden`` for a project that the author may not
    make. Then nothing has changed.
    """

    def planned() -> Plan:
        return plan_definition(project, document, now=now, retire_absent=retire_absent)

    return change_project(project, planned, author=author, conditions=conditions, now=now)


def change_project(
    project: str,
    make: Callable[[], Plan],
    *,
    author: Author,
    now: datetime,
    conditions: Conditions = UNCONDITIONAL,
) -> Applied:
    """Do what ``make`` plans. It is asked under the lock, so what it saw still holds when it is done."""
    names.check(project, what="project")
    if conditions.force and not conditions.reason.strip():
        raise Refused("bad_value", "force needs a reason, which is kept in the audit log.")
    with claimed(project, now=now), transaction.atomic():
        registry = lock_registry()
        plan = make()
        _check(plan, conditions, author)
        row = _project(plan, author=author, now=now)
        for team in plan.new_teams:
            ensure_team(team, actor=author.name, now=now)
        if not plan.is_empty:
            Writer(row, author.name, author.address, now).store(plan.before, plan.after)
            _tell(plan, author=author, conditions=conditions, now=now)
        return Applied(plan, build_bundle(registry, now=now))


def _check(plan: Plan, conditions: Conditions, author: Author) -> None:
    if conditions.plan is not None and conditions.plan != plan.digest:
        raise Conflict(
            "plan_outdated", "Something changed since that plan, or this is not its file: plan again."
        )
    if plan.breaking and not conditions.force:
        errors = [
            FieldError(f"{change.kind}.{change.name}", "breaking_change", reason)
            for change in plan.breaking
            for reason in (*change.reasons, f"consumers: {', '.join(change.consumers)}")
        ]
        hit = ", ".join(sorted({consumer for change in plan.breaking for consumer in change.consumers}))
        raise Conflict("breaking_change", f"This would break {hit or 'what was promised'}.", errors=errors)
    if plan.is_new_project and not author.may_create_projects:
        raise Forbidden(
            "forbidden",
            f"There is no project {plan.project!r}; making it needs an administrator of the whole"
            " installation and a token with the scope 'admin'.",
        )


def _project(plan: Plan, *, author: Author, now: datetime) -> Project:
    if plan.is_new_project:
        row, _ = Project.objects.update_or_create(
            name=plan.project,
            defaults={
                "created_at": now,
                "created_by": author.name,
                "changed_at": now,
                "retired_at": None,
                "store": plan.after.store or DEFAULT_STORE,
            },
        )
        audit.record(
            actor=author.name,
            project=plan.project,
            action="create",
            object_kind="project",
            object_name=plan.project,
            now=now,
            address=author.address,
        )
        return row
    row = Project.objects.get(name=plan.project)
    if not plan.is_empty:
        if plan.moves_to is not None:
            _tell_move(plan, author=author, now=now)
            row.store = plan.moves_to
        row.changed_at = now
        row.save(update_fields=["changed_at", "store"])
    return row


def _tell_move(plan: Plan, *, author: Author, now: datetime) -> None:
    audit.record(
        actor=author.name,
        project=plan.project,
        action="change",
        object_kind="project",
        object_name=plan.project,
        before={"store": plan.before.store or DEFAULT_STORE},
        after={"store": plan.moves_to},
        now=now,
        address=author.address,
    )


def _tell(plan: Plan, *, author: Author, conditions: Conditions, now: datetime) -> None:
    """Keep why something breaking was done; each object's own change has its own entry."""
    if not plan.breaking:
        return
    broken = {f"{change.kind}.{change.name}": list(change.reasons) for change in plan.breaking}
    audit.record(
        actor=author.name,
        project=plan.project,
        action="force",
        object_kind="project",
        object_name=plan.project,
        after={"reason": conditions.reason, "breaking": broken},
        now=now,
        address=author.address,
    )
