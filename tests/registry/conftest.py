"""Callers of the API: an administrator, an editor, a viewer and an outsider of the flights project."""

import json
import os
import socket

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from controlplane.accounts import selectors
from controlplane.accounts.domain import Role
from controlplane.accounts.services import teams, tokens
from controlplane.kernel import clock
from tests.registry.story import FLIGHTS

PROJECT = "/api/v1/projects/flights"


class Caller:
    """An HTTP client with a token."""

    def __init__(self, secret):
        self.client = Client(headers={"authorization": f"Bearer {secret}"})

    def call(self, method, address, body=None, *, content_type="application/json", **headers):
        data = json.dumps(body) if isinstance(body, dict | list) else body or ""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, address, data, content_type=content_type, headers=headers)

    def get(self, address, **headers):
        return self.call("GET", address, **headers)

    def post(self, address, body=None, **headers):
        return self.call("POST", address, body, **headers)

    def put(self, address, body=None, **headers):
        return self.call("PUT", address, body, **headers)

    def delete(self, address, **headers):
        return self.call("DELETE", address, **headers)

    def apply(self, document=FLIGHTS, query="", **headers):
        return self.post(f"{PROJECT}/apply{query}", document, **headers)


def _person(username, *, role=None, project="flights", is_admin=False):
    # Without a password: nobody signs in here, and hashing one takes longer than a test.
    get_user_model().objects.create(username=username, is_superuser=is_admin)
    if role is not None:
        teams.ensure_team(f"team_{username}", actor="test", now=clock.now())
        teams.set_member(
            team=f"team_{username}", username=username, member=True, actor="test", now=clock.now()
        )
        teams.set_role(team=f"team_{username}", project=project, role=role, actor="test", now=clock.now())
    return selectors.principal_of_user(get_user_model().objects.get(username=username))


def _token(principal, *scopes, projects=()):
    made = tokens.create_token(
        principal, name="t", scopes=scopes, projects=projects, now=clock.now(), never_expires=True
    )
    return Caller(made.secret)


@pytest.fixture
def root_principal(db):
    return _person("root", is_admin=True)


@pytest.fixture
def root(root_principal):
    return _token(root_principal, "read", "register", "admin", "serving", "operate")


@pytest.fixture
def make_token(root_principal):
    """Make a token of the administrator with other scopes or projects."""
    return lambda *scopes, **options: _token(root_principal, *scopes, **options)


@pytest.fixture
def editor(db):
    return _token(_person("edith", role=Role.EDITOR), "read", "register")


@pytest.fixture
def viewer(db):
    return _token(_person("victor", role=Role.VIEWER), "read", "register")


@pytest.fixture
def outsider(db):
    principal = _person("otto", role=Role.ADMIN, project="trains")
    return _token(principal, "read", "register", "admin", "serving")


@pytest.fixture
def unused_port():
    """A port on which nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@pytest.fixture
def redis_url():
    url = os.environ.get("FRESHLINE_TEST_REDIS_URL")
    assert url, "FRESHLINE_TEST_REDIS_URL names no Redis server: ./dev test starts one"
    return url
