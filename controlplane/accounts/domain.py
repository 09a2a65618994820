"""Who may do what: scopes of tokens, roles of people, and the one decision made of both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from controlplane.kernel.errors import Forbidden, FreshlineError, NotFound

EVERY_PROJECT = "*"


class Scope(StrEnum):
    """What a token is for."""

    READ = "read"
    REGISTER = "register"
    INGEST = "ingest"
    LOOKUP = "lookup"
    LINEAGE = "lineage"
    OPERATE = "operate"
    SERVING = "serving"
    ADMIN = "admin"


class Role(IntEnum):
    """What a team may do in a project; each includes those before it."""

    VIEWER = 1
    OPERATOR = 2
    EDITOR = 3
    ADMIN = 4

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Access:
    """What a call needs: a scope, and a role in the project of the URL.

    Without a project in the URL the role is needed in any project, or, for ``installation`` calls,
    the caller must be an administrator of the whole installation.
    """

    scope: Scope | str
    role: Role = Role.VIEWER
    installation: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request: a person with a session, or a token on behalf of its maker.

    ``roles`` are the person's by project; ``projects`` is None (all) or those that the token is bound to.
    """

    identity: str  # "user:7" or "token:12": stable, for audit, idempotency and rate limits
    name: str
    user_id: int
    token_id: int | None = None
    scopes: frozenset[Scope] = frozenset(Scope)
    projects: frozenset[str] | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)
    is_installation_admin: bool = False
    teams: frozenset[str] = frozenset()

    def role_in(self, project: str) -> Role | None:
        """The caller's role in ``project``, or None: then the project does not exist for them."""
        if self.projects is not None and project not in self.projects:
            return None
        return Role.ADMIN if self.is_installation_admin else self.roles.get(project)

    def may(self, scope: Scope | str, project: str) -> bool:
        """Whether the caller holds ``scope`` and knows ``project``."""
        return Scope(scope) in self.scopes and self.role_in(project) is not None

    def readable_projects(self) -> frozenset[str] | None:
        """Return the projects that the caller may know of; None stands for all."""
        if self.is_installation_admin:
            return self.projects
        known = frozenset(self.roles)
        return known if self.projects is None else known & self.projects

    def highest_role(self) -> Role | None:
        """The caller's highest role in any project."""
        if self.is_installation_admin and (self.projects is None or self.projects):
            return Role.ADMIN
        known = self.readable_projects() or frozenset()
        return max((self.roles[project] for project in known), default=None)


def refusal(principal: Principal, access: Access, *, project: str | None) -> FreshlineError | None:
    """Return why ``principal`` may not do what needs ``access``, or None when they may.

    A project that the caller has no role in is NotFound, whether it exists or not.
    """
    role = principal.role_in(project) if project is not None else principal.highest_role()
    if project is not None and role is None:
        return NotFound("not_found", f"There is no project {project!r}, or you may not know of it.")
    if Scope(access.scope) not in principal.scopes:
        return Forbidden("forbidden", f"This needs a token with the scope {Scope(access.scope).value!r}.")
    if access.installation and not (principal.is_installation_admin and principal.projects is None):
        return Forbidden("forbidden", "This needs an administrator of the whole installation.")
    if role is None or role < access.role:
        where = f"in project {project!r}" if project is not None else "in a project"
        return Forbidden("forbidden", f"This needs the role {access.role.word!r} {where}.")
    return None
