"""A refusal does not wait for the body of its request; the connection is of use afterwards all the same."""

import io
import os
import socket
import subprocess
import sys
import time

import httpx
import pytest
from django.http import HttpResponse, UnreadablePostError
from django.test import RequestFactory

from controlplane.rest.middleware import UnreadBodyMiddleware

MB = 1024 * 1024


def refuse(request):
    return HttpResponse(status=401)


def ask(size, view=refuse):
    request = RequestFactory().post("/api/v1/nope", b"x" * size, content_type="application/json")
    return request, UnreadBodyMiddleware(view)(request)


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, MB - 1])
def test_what_a_refusal_left_unread_is_read(size):
    request, response = ask(size)
    assert request.read() == b""
    assert "Connection" not in response


@pytest.mark.parametrize("size", [MB + 1, 3 * MB])
def test_after_a_large_body_that_nobody_read_the_connection_closes(size):
    request, response = ask(size)
    assert response["Connection"] == "close"
    assert len(request.read()) == size - MB


@pytest.mark.parametrize("read", [lambda request: request.body, lambda request: request.read()])
def test_a_body_that_was_read_stays_as_it_is(read):
    def take(request):
        return HttpResponse(str(len(read(request))))

    _, response = ask(MB // 2, take)
    assert (response.content, "Connection" in response) == (str(MB // 2).encode(), False)


def test_a_sender_that_is_gone_changes_no_answer():
    class Broken(io.RawIOBase):
        def read(self, size=-1):
            raise UnreadablePostError("gone")

    request = RequestFactory().post("/api/v1/nope", b"x", content_type="application/json")
    request._stream = Broken()
    response = UnreadBodyMiddleware(refuse)(request)
    assert (response.status_code, response["Connection"]) == (401, "close")


@pytest.fixture
def web(tmp_path):
    """The address of the server that we run, with nothing behind it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += ["--blocking-threads", "4", "--no-ws", "controlplane.project.wsgi:application"]
    surroundings = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    surroundings["FRESHLINE_HOME"] = str(tmp_path)
    with subprocess.Popen(command, env=surroundings) as server:
        try:
            yield _when_up(f"http://127.0.0.1:{port}", server)
        finally:
            server.terminate()


def _when_up(address, server):
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{address}/healthz")
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return address
    raise AssertionError("the server did not start")


def test_a_connection_outlives_refused_requests_with_bodies(web):
    with httpx.Client(base_url=web, timeout=30) as client:
        for _ in range(75):
            refused = client.post("/api/v1/nope", content=b"x" * 200_000)
            assert refused.status_code == 404
            assert client.get("/healthz").status_code == 200
        assert client.post("/api/v1/nope", content=b"x" * 2 * MB).headers["Connection"] == "close"
