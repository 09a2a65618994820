"""The one gate: scopes, roles, foreign projects, rate limit, CSRF."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.accounts.domain import Access, Principal, Role, Scope, refusal
from controlplane.kernel.errors import Forbidden, NotFound

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def person(**changes):
    return Principal(identity="user:1", name="ada", user_id=1, **changes)


@pytest.mark.parametrize(
    ("principal", "access", "project", "expected"),
    [
        (person(roles={"flights": Role.VIEWER}), Access(Scope.READ), "flights", None),
        (person(roles={"flights": Role.VIEWER}), Access(Scope.READ), "trains", NotFound),
        (person(roles={"flights": Role.VIEWER}), Access(Scope.REGISTER, Role.EDITOR), "flights", Forbidden),
        (person(roles={"flights": Role.EDITOR}), Access(Scope.REGISTER, Role.EDITOR), "flights", None),
        (
            person(roles={"flights": Role.ADMIN}, scopes=frozenset({Scope.READ})),
            Access(Scope.REGISTER),
            "flights",
            Forbidden,
        ),
        (person(is_installation_admin=True), Access(Scope.ADMIN, Role.ADMIN), "any", None),
        (
            person(is_installation_admin=True, projects=frozenset({"flights"})),
            Access(Scope.READ),
            "trains",
            NotFound,
        ),
        (
            person(is_installation_admin=True, projects=frozenset({"flights"})),
            Access(Scope.ADMIN, installation=True),
            None,
            Forbidden,
        ),
        (person(roles={"flights": Role.ADMIN}), Access(Scope.ADMIN, installation=True), None, Forbidden),
        (person(), Access(Scope.READ), None, Forbidden),
    ],
)
def test_a_call_is_refused_with_the_right_kind_of_error(principal, access, project, expected):
    refused = refusal(principal, access, project=project)
    assert (type(refused) if refused else None) is expected


@given(
    role=st.sampled_from(Role),
    needed=st.sampled_from(Role),
    scopes=st.frozensets(st.sampled_from(Scope)),
    scope=st.sampled_from(Scope),
)
def test_a_call_passes_exactly_when_scope_and_role_suffice(role, needed, scopes, scope):
    caller = person(roles={"p": role}, scopes=scopes)
    passes = refusal(caller, Access(scope, needed), project="p") is None
    assert passes == (scope in scopes and role >= needed)


@pytest.fixture
def api(client, db):
    return client


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


@pytest.fixture
def admin(db):
    from django.contrib.auth import get_user_model

    from controlplane.accounts import selectors
    from controlplane.accounts.services import teams

    teams.create_user(username="root", password="a long password", is_admin=True)
    return selectors.principal_of_user(get_user_model().objects.get(username="root"))


def make(admin, **changes):
    from controlplane.accounts.services import tokens
    from controlplane.kernel import clock

    settings = {"name": "t", "scopes": ["read"], "projects": ["*"], "now": clock.now()} | changes
    return tokens.create_token(admin, **settings).secret


def test_without_a_token_the_answer_is_401_and_says_how(api):
    answer = api.get("/api/v1/tokens")
    assert answer.status_code == 401
    assert answer["Content-Type"].startswith("application/problem+json")
    assert "Bearer" in answer["WWW-Authenticate"]
    assert answer.json()["code"] == "unauthenticated"
    assert answer.json()["request_id"] == answer["X-Request-Id"]


def test_an_expired_token_is_refused_at_its_very_end(api, admin):
    from controlplane.kernel import clock

    secret = make(admin, now=NOW, expires_at=NOW + timedelta(hours=1))
    with clock.fixed(NOW + timedelta(hours=1) - timedelta(microseconds=1)):
        assert api.get("/api/v1/tokens", headers=bearer(secret)).status_code == 200
    with clock.fixed(NOW + timedelta(hours=1)):
        assert api.get("/api/v1/tokens", headers=bearer(secret)).status_code == 401


def test_a_revoked_token_is_refused_at_once(api, admin):
    secret = make(admin, scopes=["read", "admin"])
    (entry,) = api.get("/api/v1/tokens", headers=bearer(secret)).json()["items"]
    assert api.delete(f"/api/v1/tokens/{entry['id']}", headers=bearer(secret)).status_code == 204
    assert api.get("/api/v1/tokens", headers=bearer(secret)).status_code == 401


def test_a_token_cannot_make_one_that_may_more_than_itself(api, admin):
    secret = make(admin, scopes=["admin", "read"])
    body = {"name": "more", "scopes": ["lookup"], "projects": []}
    answer = api.post("/api/v1/tokens", body, content_type="application/json", headers=bearer(secret))
    assert answer.status_code == 403
    assert "lookup" in answer.json()["detail"]


def test_only_the_digest_of_a_token_is_kept(api, admin):
    from controlplane.accounts.models import Token

    secret = make(admin)
    kept = Token.objects.values().get()
    assert secret not in str(kept)
    assert len(kept["digest"]) == 64


def test_a_missing_scope_is_named(api, admin):
    answer = api.get("/api/v1/teams", headers=bearer(make(admin)))
    assert answer.status_code == 403
    assert "'admin'" in answer.json()["detail"]


def test_over_the_rate_limit_the_answer_says_when_to_come_back(api, admin, settings):
    from controlplane.kernel import clock

    settings.FRESHLINE_RATE_LIMIT = 3
    secret = make(admin)
    with clock.fixed(NOW + timedelta(days=1, seconds=20)):
        answers = [api.get("/api/v1/tokens", headers=bearer(secret)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1]["Retry-After"] == "40"


def test_the_same_idempotency_key_makes_one_token_and_another_body_is_refused(api, admin):
    from controlplane.accounts.models import Token

    secret = make(admin, scopes=["admin", "read"])
    headers = bearer(secret) | {"idempotency-key": "k1"}

    def post(name):
        body = {"name": name, "scopes": ["read"]}
        return api.post("/api/v1/tokens", body, content_type="application/json", headers=headers)

    first, again, other = post("one"), post("one"), post("two")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() | {"token": None} == again.json()
    assert first.json()["token"].startswith("fl_")
    assert Token.objects.filter(name="one").count() == 1


def test_a_session_without_the_csrf_token_changes_nothing(db, admin):
    from django.contrib.auth import get_user_model
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(get_user_model().objects.get(username="root"))
    answer = browser.post(
        "/api/v1/tokens", {"name": "x", "scopes": ["read"]}, content_type="application/json"
    )
    assert answer.status_code == 403
    assert browser.get("/api/v1/tokens").status_code == 200
