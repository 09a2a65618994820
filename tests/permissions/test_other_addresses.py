"""Addresses outside the OpenAPI document: few, named here, and none of them tells a stranger much."""

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver

from frontend.urls import urlpatterns as pages

pytestmark = pytest.mark.django_db
OUTSIDE = {"REMOTE_ADDR": "203.0.113.7"}
OPEN = {"healthz", "readyz", "metrics", "api/v1/schema", "api/v1/docs", "^api/"}


def test_every_address_is_in_the_document_or_a_page_or_named_here(the_house):
    documented = {call.split()[1].lstrip("/") for call in the_house.operations()}
    patterns = [pattern for pattern in get_resolver().url_patterns if pattern not in pages]
    (api,) = (pattern for pattern in patterns if isinstance(pattern, URLResolver))
    assert {str(pattern.pattern) for pattern in patterns if pattern is not api} == OPEN
    assert {_template(f"{api.pattern}{each.pattern}") for each in api.url_patterns} == documented


def _template(route: str) -> str:
    """Return the route as the document writes it: {name} for <str:name>."""
    parts = [part.split(":")[-1].rstrip(">") if "<" in part else part for part in route.split("/")]
    starts = ["<" in part for part in route.split("/")]
    return "/".join(f"{{{part}}}" if named else part for part, named in zip(parts, starts, strict=True))


def test_what_is_open_tells_nothing_of_any_project(the_house):
    for address in ("/healthz", "/readyz", "/api/v1/schema", "/api/v1/docs", "/api/v1/unknown"):
        text = Client(**OUTSIDE).get(address).content.decode()
        assert not [word for word in ("amber", "zebra", "canary") if word in text], address


def test_metrics_name_projects_so_only_the_administrators_read_them_from_outside(the_house):
    answers = {
        name: caller.client.get("/metrics", **OUTSIDE).status_code
        for name, caller in the_house.callers.items()
        if "HTTP_AUTHORIZATION" in caller.client.defaults
    }
    assert {name for name, status in answers.items() if status == 200} == {"a token with the scope read"}
    unknown = {name for name, caller in the_house.callers.items() if caller.roles is None}
    assert {name for name, status in answers.items() if status == 401} == unknown - {"nobody"}
    assert Client(**OUTSIDE).get("/metrics").status_code == 401


def test_a_forwarded_request_is_not_from_this_machine(the_house):
    near = {"REMOTE_ADDR": "127.0.0.1"}
    assert Client(**near).get("/metrics").status_code == 200
    assert Client(**near, headers={"x-forwarded-for": "203.0.113.7"}).get("/metrics").status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_an_address_that_does_not_exist_is_not_found_by_any_method(method):
    client = Client(enforce_csrf_checks=True, headers={"authorization": "Bearer fl_any"})
    for address in ("/api/v1/nope", "/api/v1/channels/abc", "/api/v2/projects"):
        answer = client.generic(method, address, "{}", content_type="application/json")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json"), address
