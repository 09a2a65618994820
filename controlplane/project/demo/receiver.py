"""What the demo's messages are sent to: a receiver with Slack's and PagerDuty's documented answers."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from controlplane.kernel import clock
from controlplane.project.demo.messages import Journal, as_page
from controlplane.project.demo.receiver_rules import pagerduty_faults, slack_faults

SLACK_PATH, PAGERDUTY_PATH, JSON_PATH = "/services/T0/B0/demo", "/v2/enqueue", "/messages"
MAX_BODY = 512 * 1024
_TEXT, _JSON, _HTML = "text/plain; charset=utf-8", "application/json", "text/html; charset=utf-8"


class Receiver(ThreadingHTTPServer):
    """An HTTP server on loopback; shows on its page what came."""

    daemon_threads = True

    def __init__(self, port: int, journal: Journal) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.journal = journal

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        takers = {SLACK_PATH: self._take_slack, PAGERDUTY_PATH: self._take_pagerduty}
        taker = takers.get(self.path)
        try:
            length = int(self.headers.get("Content-Length") or 0)
            if taker is None or not 0 <= length <= MAX_BODY:
                return self._answer(
                    404 if taker is None else 413, _TEXT, "no_service" if taker is None else ""
                )
            body = json.loads(self.rfile.read(length))
        except ValueError:
            return self._answer(400, _TEXT, "invalid_payload")
        return taker(body)

    def do_GET(self) -> None:
        if self.path == JSON_PATH:
            return self._answer(200, _JSON, f"[{','.join(self.server.journal.lines())}]")
        if self.path != "/":
            return self._answer(404, _TEXT, "There are / and " + JSON_PATH)
        return self._answer(200, _HTML, as_page(self.server.journal.read()))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the journal is the log."""

    def _take_slack(self, body: Any) -> None:
        faults = slack_faults(body)
        if faults:
            return self._answer(400, _TEXT, faults[0])
        self.server.journal.keep("slack", body, now=clock.now())
        return self._answer(200, _TEXT, "ok")

    def _take_pagerduty(self, event: Any) -> None:
        faults = pagerduty_faults(event)
        if faults:
            refusal = {"status": "invalid event", "message": "Event object is invalid", "errors": faults}
            return self._answer(400, _JSON, json.dumps(refusal))
        self.server.journal.keep("pagerduty", event, now=clock.now())
        answer = {"status": "success", "message": "Event processed", "dedup_key": event.get("dedup_key")}
        return self._answer(202, _JSON, json.dumps(answer))

    def _answer(self, status: int, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
