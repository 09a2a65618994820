"""Who looks at live pages: people with a role in a project, signed in."""

from django.contrib.auth import get_user_model
from django.test import Client

from controlplane.accounts.services import teams
from tests.registry.story import NOW


def person(name, role, project="flights", **flags):
    """A client that is signed in as a member of ``team_<name>``, which has ``role`` in ``project``."""
    user = get_user_model().objects.create(username=name, **flags)
    if role is not None:
        team = f"team_{name}"
        teams.ensure_team(team, actor="test", now=NOW)
        teams.set_member(team=team, username=name, member=True, actor="test", now=NOW)
        teams.set_role(team=team, project=project, role=role, actor="test", now=NOW)
    client = Client()
    client.force_login(user)
    return client


def text_of(response):
    """The page as text."""
    return response.content.decode()
