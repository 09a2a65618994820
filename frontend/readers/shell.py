"""What stands around every page."""

from datetime import datetime

from controlplane.accounts.auth import Principal, Role
from controlplane.registry import selectors as registry
from frontend.readers.once import once
from frontend.records.shell import Bar, Preferences, Shell
from monitors.selectors.channels import channel_uses
from monitors.selectors.incidents import open_incidents
from monitors.selectors.watchdog import monitoring_behind, troubles_of


def known_projects(principal: Principal) -> tuple[str, ...]:
    """Return the names of the projects that ``principal`` may know of, sorted."""
    readable = principal.readable_projects()
    if readable is None:
        return tuple(project.name for project in once(registry.list_projects))
    return tuple(sorted(readable))


def read_shell(principal: Principal, *, project: str, preferences: Preferences, now: datetime) -> Shell:
    """Return the shell for ``project``, or for none when it is not one of the person's."""
    projects = known_projects(principal)
    role = principal.role_in(project) if project in projects else None
    open_roots = [one for one in once(open_incidents, project) if one.parent is None] if role else []
    return Shell(
        user=principal.name,
        role=role.word if role else "",
        project=project if role else "",
        projects=projects,
        my_open_incidents=sum(one.owner in principal.teams for one in open_roots),
        open_incidents=len(open_roots),
        bars=_bars(now=now),
        preferences=preferences,
        may_operate=bool(role and role >= Role.OPERATOR),
        may_audit=(principal.highest_role() or 0) >= Role.ADMIN,
    )


def _bars(*, now: datetime) -> tuple[Bar, ...]:
    """Return what stands over every page while monitoring itself is not to be relied on."""
    behind = monitoring_behind(now=now)
    bars = [Bar(f"{behind.sentence} States may be out of date.")] if behind.is_behind else []
    return (*bars, *map(Bar, troubles_of(once(channel_uses))))
