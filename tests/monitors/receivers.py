"""Slack and PagerDuty as an HTTP server on loopback: says what they say, and keeps what it was sent."""

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SLACK, PAGER = "/slack", "/pager"
_ANSWERS = {SLACK: (200, b"ok"), PAGER: (202, b'{"status":"success"}')}


class Receiver:
    """``received``: (path, body) in order. ``script``: answers to give first, (status, body, headers)."""

    def __init__(self):
        self.received = []
        self.script = {SLACK: deque(), PAGER: deque()}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def pages(self):
        """What PagerDuty was told, in order."""
        return [body["event_action"] for path, body in self.received if path == PAGER]

    def chats(self):
        """What Slack was told, as texts of JSON."""
        return [json.dumps(body) for path, body in self.received if path == SLACK]

    def bodies(self, path):
        return [body for where, body in self.received if where == path]

    def _handler(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((self.path, json.loads(body)))
                waiting = receiver.script[self.path]
                status, text, *rest = waiting.popleft() if waiting else _ANSWERS[self.path]
                self.send_response(status)
                for name, value in (rest[0] if rest else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        return Handler
