"""Teams, members, roles."""

from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction

from controlplane.accounts.domain import Role
from controlplane.accounts.models import Membership, Team, TeamRole
from controlplane.accounts.services import audit
from controlplane.kernel import names
from controlplane.kernel.errors import NotFound, Refused


def ensure_team(name: str, *, actor: str, now: datetime) -> bool:
    """Make an empty team unless there is one; returns whether it was made. Call it in a transaction."""
    names.check(name, what="team")
    _, made = Team.objects.get_or_create(name=name, defaults={"created_at": now})
    if made:
        audit.record(actor=actor, action="create", object_kind="team", object_name=name, now=now)
    return made


@transaction.atomic
def set_role(*, team: str, project: str, role: Role | None, actor: str, now: datetime) -> None:
    """Give ``team`` its one role in ``project``; None takes it away."""
    found = _team(team)
    before = TeamRole.objects.filter(team=found, project=project).first()
    if role is None:
        TeamRole.objects.filter(team=found, project=project).delete()
    else:
        TeamRole.objects.update_or_create(team=found, project=project, defaults={"role": role.value})
    audit.record(
        actor=actor,
        project=project,
        action="set_role",
        object_kind="team",
        object_name=team,
        now=now,
        before={"role": Role(before.role).word} if before else None,
        after={"role": role.word} if role else None,
    )


@transaction.atomic
def set_member(*, team: str, username: str, member: bool, actor: str, now: datetime) -> None:
    """Put a person into a team, or take them out."""
    found = _team(team)
    user = get_user_model().objects.filter(username=username).first()
    if user is None:
        raise NotFound("not_found", f"There is no user {username!r}.")
    if member:
        Membership.objects.get_or_create(team=found, user=user)
    else:
        Membership.objects.filter(team=found, user=user).delete()
    audit.record(
        actor=actor,
        action="add_member" if member else "remove_member",
        object_kind="team",
        object_name=team,
        now=now,
        after={"user": username},
    )


def create_user(*, username: str, password: str, is_admin: bool = False) -> int:
    """Make a person; returns the id. An installation administrator has every role everywhere."""
    users = get_user_model().objects
    if users.filter(username=username).exists():
        raise Refused("bad_value", f"There is a user {username!r} already.")
    make = users.create_superuser if is_admin else users.create_user
    return int(make(username=username, password=password).pk)


def _team(name: str) -> Team:
    found = Team.objects.filter(name=name).first()
    if found is None:
        raise NotFound("not_found", f"There is no team {name!r}.")
    return found
