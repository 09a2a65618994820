"""Everybody who may come: nobody, tokens of each kind, people of each role, and strangers of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.test import Client

from controlplane.accounts import selectors
from controlplane.accounts.domain import Principal, Role, Scope
from controlplane.accounts.services import teams, tokens
from tests.permissions.house import FLIGHTS, NOW, TRAINS

EVERY_SCOPE = frozenset(scope.value for scope in Scope)
Roles = Mapping[str, Role]


@dataclass(frozen=True)
class Caller:
    """A client, and what it should be able to do: scopes, and a role in each project that it knows.

    ``roles`` None: nobody is known to stand behind it. ``is_root``: may administer the installation.
    """

    client: Client
    roles: Roles | None
    scopes: frozenset[str] = EVERY_SCOPE
    is_root: bool = False
    user: str = ""

    @property
    def highest(self) -> Role | None:
        return max((self.roles or {}).values(), default=None)


@dataclass
class Callers:
    """By name, and the name says it all."""

    by_name: dict[str, Caller] = field(default_factory=dict)

    def meet_all(self) -> None:
        self._strangers_to_the_installation()
        self._tokens_of_the_administrator()
        self._people()

    def _strangers_to_the_installation(self) -> None:
        root = _person("root", {}, is_root=True)
        expired = _token(root, expires_at=NOW, now=NOW - timedelta(hours=1))
        revoked = tokens.create_token(root, name="r", scopes=["read"], projects=["*"], now=NOW)
        tokens.revoke_token(root, revoked.id, now=NOW)
        gone = _token(_person("gone", {FLIGHTS.project: Role.ADMIN}))
        get_user_model().objects.filter(username="gone").update(is_active=False)
        clients = {
            "nobody": Client(),
            "a token that was never made": _bearer("fl_never"),
            "a token that is no token": _bearer(""),
            "an expired token": _bearer(expired),
            "a revoked token": _bearer(revoked.secret),
            "a token whose maker left": _bearer(gone),
        }
        self.by_name |= {name: Caller(client, None) for name, client in clients.items()}

    def _tokens_of_the_administrator(self) -> None:
        root = selectors.principal_of_user(get_user_model().objects.get(username="root"))
        everywhere = {FLIGHTS.project: Role.ADMIN, TRAINS.project: Role.ADMIN}
        for scope in EVERY_SCOPE:
            client = _bearer(_token(root, scopes=[scope]))
            named = Caller(client, everywhere, frozenset({scope}), is_root=True, user="root")
            self.by_name[f"a token with the scope {scope}"] = named
        for side, word in ((FLIGHTS, "this"), (TRAINS, "another")):
            client = _bearer(_token(root, projects=[side.project]))
            bound = Caller(client, {side.project: Role.ADMIN}, user="root")
            self.by_name[f"a token bound to {word} project"] = bound

    def _people(self) -> None:
        for role in Role:
            self._person(f"a {role.word} of the project", role.word, {FLIGHTS.project: role})
        self._person("an admin of another project", "other", {TRAINS.project: Role.ADMIN})
        mixed = {FLIGHTS.project: Role.VIEWER, TRAINS.project: Role.ADMIN}
        self._person("a viewer here who is admin elsewhere", "mixed", mixed)
        self._person("somebody of no team", "stranger", {})
        client = Client()
        client.force_login(get_user_model().objects.get(username="root"))
        everywhere = {FLIGHTS.project: Role.ADMIN, TRAINS.project: Role.ADMIN}
        self.by_name["the administrator"] = Caller(client, everywhere, is_root=True, user="root")

    def _person(self, name: str, username: str, roles: Roles) -> None:
        """A person twice: signed in, and by a token with every scope, which can do no more."""
        principal = _person(username, roles)
        session = Client()
        session.force_login(get_user_model().objects.get(username=username))
        self.by_name[name] = Caller(session, roles, user=username)
        self.by_name[f"a token of {name}"] = Caller(_bearer(_token(principal)), roles, user=username)


def _person(username: str, roles: Roles, *, is_root: bool = False) -> Principal:
    # Without a password: nobody signs in here, and hashing one takes longer than a test.
    user = get_user_model().objects.create(username=username, is_superuser=is_root)
    for project, role in roles.items():
        team = f"{username}_of_{project}"
        teams.ensure_team(team, actor="test", now=NOW)
        teams.set_member(team=team, username=username, member=True, actor="test", now=NOW)
        teams.set_role(team=team, project=project, role=role, actor="test", now=NOW)
    return selectors.principal_of_user(user)


def _token(principal: Principal, *, scopes=EVERY_SCOPE, projects=(), now=NOW, expires_at=None) -> str:
    made = tokens.create_token(
        principal, name="t", scopes=scopes, projects=projects, now=now, expires_at=expires_at
    )
    return made.secret


def _bearer(secret: str) -> Client:
    return Client(headers={"authorization": f"Bearer {secret}"})
