"""What goes over the wire: pages and assets are packed, streams and promised bytes are not."""

import gzip
from pathlib import Path

import pytest
from django.core.management import call_command
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from controlplane.rest.middleware import CompressionMiddleware

PACKED = {"accept-encoding": "gzip, br"}
TEXT = "All 38 feature views are fresh. " * 40


def answered(response, **headers):
    return CompressionMiddleware(lambda request: response)(RequestFactory().get("/", headers=headers))


def test_an_answer_is_packed_for_who_can_unpack_it():
    packed = answered(HttpResponse(TEXT), **PACKED)
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content).decode() == TEXT
    assert "Accept-Encoding" in packed["Vary"]
    assert "Content-Encoding" not in answered(HttpResponse(TEXT))


def test_the_same_page_is_not_of_the_same_length_twice():
    lengths = {len(answered(HttpResponse(TEXT), **PACKED).content) for _ in range(30)}
    assert len(lengths) > 1, "a length that is always the same tells what the page holds"


def test_a_stream_is_sent_as_it_comes():
    response = answered(StreamingHttpResponse(iter(["event: run\n\n"] * 40)), **PACKED)
    assert "Content-Encoding" not in response
    assert next(iter(response.streaming_content)) == b"event: run\n\n"


def test_bytes_that_a_strong_etag_promises_are_sent_as_they_are():
    strong = answered(HttpResponse(TEXT, headers={"ETag": '"abc"'}), **PACKED)
    assert (strong.content.decode(), strong["ETag"]) == (TEXT, '"abc"')
    weak = answered(HttpResponse(TEXT, headers={"ETag": 'W/"abc"'}), **PACKED)
    assert (weak["Content-Encoding"], weak["ETag"]) == ("gzip", 'W/"abc"')


@pytest.mark.django_db
@pytest.mark.usefixtures("built_manifest")
def test_pages_and_api_are_packed_and_keep_their_policy():
    plain, packed = Client().get("/sign-in"), Client().get("/sign-in", headers=PACKED)
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Content-Security-Policy"] == plain["Content-Security-Policy"]
    assert "'unsafe-inline'" not in packed["Content-Security-Policy"]
    assert "script-src 'self'" in packed["Content-Security-Policy"]
    assert Client().get("/api/v1/schema", headers=PACKED)["Content-Encoding"] == "gzip"


@pytest.fixture
def built_manifest(settings, tmp_path: Path) -> None:
    manifest = '{"static_src/%s": {"file": "assets/main-1.%s"}}'
    both = [manifest % pair for pair in (("main.ts", "js"), ("main.css", "css"))]
    (tmp_path / "manifest.json").write_text("{" + ", ".join(each[1:-1] for each in both) + "}")
    settings.FRONTEND_DIST = tmp_path


@pytest.fixture
def assets(settings, tmp_path: Path) -> Client:
    """A client of a site whose static files were collected from a small build."""
    source = tmp_path / "dist"
    (source / "assets").mkdir(parents=True)
    for name in ("main-CwdozrJm.css", "plain.css"):
        (source / "assets" / name).write_text("body { color: black }\n" * 100)
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "static"
    call_command("collectstatic", interactive=False, verbosity=0)
    return Client()


def test_a_file_with_its_hash_in_the_name_is_packed_and_kept_for_ever(assets):
    response = assets.get("/static/assets/main-CwdozrJm.css", headers=PACKED)
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(response.streaming_content)).startswith(b"body")
    assert response["Cache-Control"] == "max-age=315360000, public, immutable"
    assert "Accept-Encoding" in response["Vary"]
    assert "Access-Control-Allow-Origin" not in response


def test_a_file_without_a_hash_is_asked_for_again(assets):
    response = assets.get("/static/assets/plain.css")
    assert "immutable" not in response["Cache-Control"]
    assert "Content-Encoding" not in response
