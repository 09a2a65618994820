"""What tests of live pages share: people who are signed in, what they read, and the story's cause."""

import re

from django.contrib.auth import get_user_model
from django.test import Client

from controlplane.accounts.services import teams
from tests.registry.story import NOW

PATH = ("job:etl|refine", "dataset:s3://lake|delays", "view:flights/carrier_delays")


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


def words(response):
    """What a page says between its title and its end, without markup."""
    main = text_of(response).split("<main")[1]
    return " ".join(re.sub(r"<[^>]+>", " ", main).replace("&#x27;", "'").split())


def numbers_in(html):
    """The numbers of the incidents in a list, in order."""
    return [int(number) for number in re.findall(r'data-key="INC-(\d+)"', html)]
