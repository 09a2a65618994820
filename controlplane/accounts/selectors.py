"""Reads of accounts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import F, Q, QuerySet

from controlplane.accounts.domain import EVERY_PROJECT, Principal, Role, Scope
from controlplane.accounts.models import AuditEntry, Membership, Team, Token

_Memberships = tuple[frozenset[str], Mapping[str, Role]]


class Person(Protocol):
    """What is needed of Django's user."""

    pk: int
    is_superuser: bool

    def get_username(self) -> str: ...


@dataclass(frozen=True, slots=True)
class LookupToken:
    """A token as serving needs it."""

    sha256: str
    projects: tuple[str, ...]
    expires_at: datetime | None


def find_person(user_id: int) -> AbstractBaseUser | None:
    """Return an active user with what their teams give them, in one query; None without one."""
    rows = get_user_model()._default_manager.filter(pk=user_id, is_active=True)
    joined = rows.annotate(
        in_team=F("memberships__team__name"),
        in_project=F("memberships__team__roles__project"),
        with_role=F("memberships__team__roles__role"),
    )
    found = list(joined)
    if not found:
        return None
    person: AbstractBaseUser = found[0]
    memberships = [(row.in_team, row.in_project, row.with_role) for row in found if row.in_team is not None]
    person.memberships_read = _summed(memberships)  # type: ignore[attr-defined]
    return person


def principal_of_user(user: Person) -> Principal:
    """Return the person behind a session."""
    teams, roles = getattr(user, "memberships_read", None) or _memberships(user.pk)
    return Principal(
        identity=f"user:{user.pk}",
        name=user.get_username(),
        user_id=user.pk,
        roles=roles,
        is_installation_admin=user.is_superuser,
        teams=teams,
    )


def principal_of_token(digest: str, *, now: datetime) -> Principal | None:
    """Return the token with that digest; None when it is unknown, expired, revoked or its maker is gone."""
    token = valid_tokens(now=now).filter(digest=digest).select_related("maker").first()
    if token is None:
        return None
    projects = None if EVERY_PROJECT in token.projects else frozenset(token.projects)
    teams, roles = _memberships(token.maker_id)
    return Principal(
        identity=f"token:{token.pk}",
        name=f"{token.maker.get_username()}/{token.name}",
        user_id=token.maker_id,
        token_id=token.pk,
        scopes=frozenset(Scope(scope) for scope in token.scopes),
        projects=projects,
        roles=roles,
        is_installation_admin=token.maker.is_superuser,
        teams=teams,
    )


def valid_tokens(*, now: datetime) -> QuerySet[Token]:
    """Tokens that work at ``now``."""
    return Token.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, maker__is_active=True
    )


def lookup_tokens(*, now: datetime) -> list[LookupToken]:
    """Return the tokens that may look up, sorted by digest, each bound to the projects its maker knows."""
    found = []
    for token in valid_tokens(now=now).select_related("maker").order_by("digest"):
        if Scope.LOOKUP not in token.scopes:
            continue
        projects = list(token.projects)
        if not token.maker.is_superuser:
            known = set(_memberships(token.maker_id)[1])
            projects = sorted(known if EVERY_PROJECT in projects else known & set(projects))
        if projects:
            found.append(LookupToken(token.digest, tuple(projects), token.expires_at))
    return found


def tokens_of(principal: Principal) -> QuerySet[Token]:
    """The tokens that ``principal`` may see and revoke: their own; an installation administrator's are all.

    A token that is bound to projects knows only tokens bound to some of these: no other may be named to it.
    """
    tokens = Token.objects.select_related("maker")
    if not principal.is_installation_admin:
        tokens = tokens.filter(maker_id=principal.user_id)
    if principal.projects is None:
        return tokens
    # SQLite cannot ask whether one JSON list holds another; tokens are few.
    bound = tokens.values_list("pk", "projects")
    return tokens.filter(pk__in=[pk for pk, projects in bound if principal.projects.issuperset(projects)])


def audit_entries(principal: Principal, *, project: str | None) -> QuerySet[AuditEntry]:
    """The audit log as far as ``principal`` may read it."""
    entries = AuditEntry.objects.all() if project is None else AuditEntry.objects.filter(project=project)
    readable = principal.readable_projects()
    if readable is None:
        return entries
    administered = [name for name in readable if (principal.role_in(name) or 0) >= Role.ADMIN]
    return entries.filter(project__in=administered)


def teams() -> QuerySet[Team]:
    """All teams, with their members and roles."""
    return Team.objects.prefetch_related("memberships__user", "roles")


def team_exists(name: str) -> bool:
    """Whether there is a team ``name``."""
    return Team.objects.filter(name=name).exists()


def _memberships(user_id: int) -> _Memberships:
    """Return the names of a person's teams, and the highest role that these give in each project."""
    rows = Membership.objects.filter(user_id=user_id)
    return _summed(rows.values_list("team__name", "team__roles__project", "team__roles__role"))


def _summed(rows: Iterable[tuple[str, str | None, int | None]]) -> _Memberships:
    teams: set[str] = set()
    roles: dict[str, Role] = {}
    for team, project, role in rows:
        teams.add(team)
        if project is not None and role is not None:
            roles[project] = max(roles.get(project, Role.VIEWER), Role(role))
    return frozenset(teams), roles
