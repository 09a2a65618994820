"""Who may do what: scope, role, foreign project, by method and address."""

import pytest

from tests.registry.conftest import PROJECT
from tests.registry.story import FLIGHTS, service

pytestmark = pytest.mark.django_db
VIEW = f"{PROJECT}/feature-views/carrier_delays"
SERVICE = f"{PROJECT}/feature-services/delay_ranker"
SERVING = "/api/v1/serving"
ACKNOWLEDGED = {"instance": "a-1", "digest": "0" * 64, "number": 1, "loaded_at_us": 1}

# (method, address, body): statuses of viewer, editor, outsider, and nobody.
TABLE = [
    ("GET", "/api/v1/projects", None, (200, 200, 200, 401)),
    ("GET", PROJECT, None, (200, 200, 404, 401)),
    ("PUT", PROJECT, None, (403, 403, 404, 401)),
    ("DELETE", PROJECT, None, (403, 403, 404, 401)),
    ("POST", f"{PROJECT}/plan", FLIGHTS, (200, 200, 404, 401)),
    ("POST", f"{PROJECT}/apply", FLIGHTS, (403, 200, 404, 401)),
    ("GET", f"{PROJECT}/export", None, (200, 200, 404, 401)),
    ("GET", f"{PROJECT}/entities", None, (200, 200, 404, 401)),
    ("GET", f"{PROJECT}/sources/flights", None, (200, 200, 404, 401)),
    ("GET", VIEW, None, (200, 200, 404, 401)),
    ("GET", f"{VIEW}/versions", None, (200, 200, 404, 401)),
    ("GET", f"{VIEW}/versions/1", None, (200, 200, 404, 401)),
    ("GET", f"{VIEW}/versions/1/diff/1", None, (200, 200, 404, 401)),
    ("PUT", SERVICE, service(), (403, 200, 404, 401)),
    ("DELETE", SERVICE, None, (403, 200, 404, 401)),
    ("DELETE", VIEW, None, (403, 409, 404, 401)),
    ("GET", f"{SERVING}/bundle", None, (403, 403, 403, 401)),
    ("POST", f"{SERVING}/acknowledgements", ACKNOWLEDGED, (403, 403, 403, 401)),
    ("POST", f"{SERVING}/observations", {}, (403, 403, 422, 401)),
    ("GET", "/api/v1/connections", None, (403, 403, 403, 401)),
    ("POST", "/api/v1/connections", {}, (403, 403, 403, 401)),
    ("GET", "/api/v1/connections/1", None, (403, 403, 403, 401)),
    ("PATCH", "/api/v1/connections/1", {}, (403, 403, 403, 401)),
    ("DELETE", "/api/v1/connections/1", None, (403, 403, 403, 401)),
    ("POST", "/api/v1/connections/1/test", None, (403, 403, 403, 401)),
]


@pytest.mark.parametrize(("method", "address", "body", "expected"), TABLE, ids=lambda v: str(v)[:60])
def test_the_table_of_permissions(root, viewer, editor, outsider, method, address, body, expected):
    from tests.registry.conftest import Caller

    root.apply()
    nobody = Caller("fl_unknown")
    answers = [caller.call(method, address, body) for caller in (viewer, editor, outsider, nobody)]
    assert tuple(answer.status_code for answer in answers) == expected


def test_only_an_administrator_of_the_installation_with_scope_admin_makes_a_project(make_token, editor):
    answer = editor.apply()
    assert (answer.status_code, "administrator" in answer.json()["detail"]) == (403, True)
    assert make_token("register", "read").apply().status_code == 403
    assert make_token("register", "admin", projects=["flights"]).apply().status_code == 200


def test_a_token_without_the_scope_register_cannot_plan_or_apply(make_token, root):
    root.apply()
    reader = make_token("read")
    for address in ("plan", "apply"):
        answer = reader.post(f"{PROJECT}/{address}", FLIGHTS)
        assert (answer.status_code, "'register'" in answer.json()["detail"]) == (403, True)


def test_a_serving_token_of_one_project_cannot_read_the_bundle_of_all(make_token, root):
    root.apply()
    assert make_token("serving", projects=["flights"]).get(f"{SERVING}/bundle").status_code == 403
    assert make_token("serving").get(f"{SERVING}/bundle").status_code == 200


def test_the_list_of_projects_shows_only_those_that_the_caller_knows(root, viewer, outsider):
    root.apply()
    assert [item["name"] for item in viewer.get("/api/v1/projects").json()["items"]] == ["flights"]
    assert outsider.get("/api/v1/projects").json()["items"] == []
