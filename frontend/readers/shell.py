"""What stands around every page."""

from datetime import datetime

from controlplane.accounts.auth import Principal, Role
from frontend.records.shell import Preferences, Shell


def known_projects(principal: Principal) -> tuple[str, ...]:
    """Return the names of the projects that ``principal`` may know of, sorted."""
    return tuple(sorted(principal.readable_projects() or ()))


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
