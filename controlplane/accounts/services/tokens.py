"""Make and revoke tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from controlplane.accounts import selectors
from controlplane.accounts.domain import EVERY_PROJECT, Principal, Scope
from controlplane.accounts.models import Token
from controlplane.accounts.services import audit
from controlplane.kernel.errors import Forbidden, NotFound, Refused

DEFAULT_LIFE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; ``secret`` is shown once and kept nowhere."""

    id: int
    name: str
    secret: str
    prefix: str
    expires_at: datetime | None


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a token, in hex, by which it is known."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def create_token(
    principal: Principal,
    *,
    name: str,
    scopes: Iterable[str],
    projects: Iterable[str],
    now: datetime,
    expires_at: datetime | None = None,
    never_expires: bool = False,
    address: str = "",
) -> NewToken:
    """Make a token of ``principal``. It can never do more than its maker: scopes and projects are checked."""
    chosen_scopes = _check_scopes(principal, scopes)
    chosen_projects = _check_projects(principal, projects)
    if not 1 <= len(name) <= 100:
        raise Refused("bad_value", "A token's name has 1 to 100 characters.")
    if expires_at is not None and expires_at <= now:
        raise Refused("bad_value", "expires_at lies in the past.")
    until = None if never_expires else expires_at or now + DEFAULT_LIFE
    secret = f"fl_{secrets.token_urlsafe(32)}"
    token = Token.objects.create(
        name=name,
        prefix=secret[:9],
        digest=digest_of(secret),
        scopes=sorted(scope.value for scope in chosen_scopes),
        projects=chosen_projects,
        maker_id=principal.user_id,
        created_at=now,
        expires_at=until,
    )
    audit.record(
        actor=principal.name,
        action="create",
        object_kind="token",
        object_name=name,
        now=now,
        after={"scopes": token.scopes, "projects": token.projects, "prefix": token.prefix},
        address=address,
    )
    return NewToken(token.pk, name, secret, token.prefix, until)


@transaction.atomic
def revoke_token(principal: Principal, token_id: int, *, now: datetime, address: str = "") -> None:
    """Revoke a token of one's own, or, as an installation administrator, anybody's. At once, for ever."""
    token = selectors.tokens_of(principal).filter(pk=token_id, revoked_at=None).first()
    if token is None:
        raise NotFound("not_found", f"There is no token {token_id} of yours that could be revoked.")
    Token.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=now)
    audit.record(
        actor=principal.name,
        action="revoke",
        object_kind="token",
        object_name=token.name,
        now=now,
        address=address,
    )


def _check_scopes(principal: Principal, scopes: Iterable[str]) -> frozenset[Scope]:
    try:
        chosen = frozenset(Scope(scope) for scope in scopes)
    except ValueError as wrong:
        raise Refused("bad_value", f"{wrong}; scopes are {', '.join(Scope)}") from wrong
    if not chosen:
        raise Refused("bad_value", "A token needs at least one scope.")
    if not chosen <= principal.scopes:
        missing = ", ".join(sorted(chosen - principal.scopes))
        raise Forbidden("forbidden", f"You cannot give what you lack: {missing}.")
    return chosen


def _check_projects(principal: Principal, projects: Iterable[str]) -> list[str]:
    chosen = sorted(set(projects)) or [EVERY_PROJECT]
    if EVERY_PROJECT in chosen:
        if principal.projects is not None:
            raise Forbidden("forbidden", "Your own token is bound to projects; name some of them.")
        return [EVERY_PROJECT]
    for project in chosen:
        if principal.role_in(project) is None:
            raise NotFound("not_found", f"There is no project {project!r}, or you may not know of it.")
    return chosen


def note_use(token_id: int, *, now: datetime, address: str) -> None:
    """Remember when and from where a token was last used."""
    Token.objects.filter(pk=token_id).update(last_used_at=now, last_used_from=address[:64])
