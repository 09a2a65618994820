"""A server of DynamoDB's protocol between a store and a real one, that has the trouble a test asks for."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit


class Tampering:
    """Passes calls on. ``before`` is called with operation and body first, and may answer in the server's
    place (status and body), or change the body; ``loses`` names an operation whose next answer is lost.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.before: Callable[[str, dict], tuple[int, dict] | None] = lambda operation, body: None
        self.after: Callable[[str, dict], None] = lambda operation, answer: None
        self.loses: str | None = None
        self.url = ""


def busy() -> tuple[int, dict]:
    kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
    return 400, {"__type": kind, "message": "too fast"}


@contextmanager
def tampering_with(endpoint: str) -> Iterator[Tampering]:
    """Stand before the server at ``endpoint``."""
    tampering = Tampering()
    target = urlsplit(endpoint).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            tampering.calls.append(operation)
            found = tampering.before(operation, body)
            status, answer = found or self._pass_on(body)
            if tampering.loses == operation:
                tampering.loses = None
                self.close_connection = True
                return
            tampering.after(operation, answer)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _pass_on(self, body: dict) -> tuple[int, dict]:
            names = ("X-Amz-Target", "X-Amz-Date", "Authorization", "Content-Type")
            headers = {name: self.headers[name] for name in names if name in self.headers}
            connection = HTTPConnection(target, timeout=30)
            connection.request("POST", "/", json.dumps(body).encode(), headers)
            reply = connection.getresponse()
            found = reply.status, json.loads(reply.read() or b"{}")
            connection.close()
            return found

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    tampering.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield tampering
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
