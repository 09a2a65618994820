"""The OpenAPI document: complete, without a warning, at the address that the docs name."""

import re

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.validation import validate_schema

SCHEMA = "/api/v1/schema"


@pytest.fixture(scope="module")
def document() -> dict:
    return Client().get(f"{SCHEMA}?format=json").json()


def operations(document: dict):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_document_is_written_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    validate_schema(document)


def test_every_operation_is_summed_up_and_named_once(document):
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert not [call for call, operation in operations(document) if not operation.get("summary")]


def test_every_operation_tells_its_access_and_the_shape_of_its_errors(document):
    for call, operation in operations(document):
        needed = operation["x-freshline-access"]
        assert f"`{needed['scope']}`" in operation["description"], call
        shape = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert shape == {"$ref": "#/components/schemas/Problem"}, call


def test_an_error_has_the_shape_that_the_document_tells(document):
    problem = Client().get("/api/v1/tokens").json()
    assert set(problem) == set(document["components"]["schemas"]["Problem"]["required"])


@pytest.mark.django_db
def test_the_browsable_page_needs_nothing_that_the_content_security_policy_keeps_out(client):
    page = client.get("/api/v1/docs")
    html = page.content.decode()
    assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"]
    assert "<style" not in html
    assert " style=" not in html
    assert re.findall(r"<script(?![^>]* src=)", html) == []
    assert re.findall(r'(?:src|href)="(?!/)', html) == []
