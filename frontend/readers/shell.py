"""What stands around every page."""

from datetime import datetime

from controlplane.accounts.auth import Principal, Role
from controlplane.registry import selectors as registry
from frontend.records.shell import Preferences, Shell


def known_projects(principal: Principal) -> tuple[str, ...]:
    """Return the names of the projects that ``principal`` may know of, sorted."""
    readable = principal.readable_projects()
    if readable is None:
        return tuple(project.name for project in registry.list_projects())
    return tuple(sorted(readable))


def read_shell(principal: Principal, *, project: str, preferences: Preferences, now: datetime) -> Shell:
    """Return the shell for ``project``, or for none when it is not one of the person's."""
    projects = known_projects(principal)
    role = principal.role_in(project) if project in projects else None
    return Shell(
        user=principal.name,
        role=role.word if role else "",
        project=project if role else "",
        projects=projects,
        preferences=preferences,
        may_operate=bool(role and role >= Role.OPERATOR),
        may_administer=bool(role and role >= Role.ADMIN),
    )
