"""A receiver that behaves as Slack's incoming webhooks and PagerDuty's Events v2 are documented to.

It answers by HTTP on a loopback port, records every request with the time it came, refuses what the real
ones would refuse, and can be told to be rude: rate limits, server errors, dropped answers, dead hooks.
"""

import json
import random
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests import pagerduty_rules, slack_rules

SLACK = "/services/T0/B0/secret"
PAGERDUTY = "/v2/enqueue"


class Receiver:
    """``accepted`` holds the bodies that were answered with success, ``requests`` everything that came.

    ``rudeness`` is the share of requests that get 429 or 5xx instead; ``lost`` the share of those accepted
    whose answer is lost on the way. ``script`` (path -> list of (status, headers, body)) answers first.
    """

    def __init__(self, *, rudeness=0.0, lost=0.0, retry_after="0", seed=0):
        self.rudeness, self.lost, self.retry_after = rudeness, lost, retry_after
        self.random = random.Random(seed)
        self.requests, self.accepted, self.script, self.paused = [], [], {}, {}
        self.on_accept = lambda path, body: None
        self.lock = threading.Lock()

    def answer(self, path, raw):
        """Return status, headers and body; None drops the connection."""
        with self.lock:
            self.requests.append((time.monotonic(), path, raw))
            if time.monotonic() < self.paused.get(path, 0):
                return 429, {"Retry-After": "1"}, b"came back too soon"
            if self.script.get(path):
                return self.script[path].pop(0)
            if self.random.random() < self.rudeness:
                return self._be_rude(path)
            try:
                body = json.loads(raw)
            except ValueError:
                return 400, {}, b"invalid_payload"
            status, text = (_slack if path.startswith("/services/") else _pagerduty)(path, body)
            if status < 300:
                self.accepted.append((path, body))
                self.on_accept(path, body)
                if self.random.random() < self.lost:
                    return None
            return status, {}, text

    def _be_rude(self, path):
        if self.random.random() < 0.5:
            self.paused[path] = time.monotonic() + float(self.retry_after)
            return 429, {"Retry-After": self.retry_after}, b"rate_limited"
        return self.random.choice([500, 502, 503]), {}, b"server_error"

    def events(self, action=None):
        """Return the PagerDuty events that were accepted."""
        found = [body for path, body in self.accepted if path == PAGERDUTY]
        return [event for event in found if action is None or event["event_action"] == action]

    def messages(self):
        """Return the Slack messages that were accepted."""
        return [body for path, body in self.accepted if path != PAGERDUTY]


def _slack(path, body):
    if not path.endswith("/secret"):
        return 404, b"no_service"
    if slack_rules.faults(body):
        return 400, b"invalid_blocks"
    return 200, b"ok"


def _pagerduty(path, body):
    found = pagerduty_rules.faults(body)
    if found:
        answer = {"status": "invalid event", "message": "Event object is invalid", "errors": found}
        return 400, json.dumps(answer).encode()
    answer = {"status": "success", "message": "Event processed", "dedup_key": body.get("dedup_key")}
    return 202, json.dumps(answer).encode()


@contextmanager
def running(receiver):
    """Serve ``receiver`` on a free loopback port; gives its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answered = receiver.answer(self.path, raw)
            if answered is None:
                self.close_connection = True
                return
            status, headers, body = answered
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked was killed meanwhile
                self.wfile.write(body)

        def log_message(self, *words):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
