"""The processes of a stress run: a Redis that keeps its data, a control plane's stand-in, serving."""

import http.server
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.stress import story
from tools import ports
from tools.places import SERVING
from tools.toolchains import find_go

RACE_FOUND = 66  # what Go's race detector ends a process with


def eventually(claim: Callable[[], bool], what: str, *, within: float = 30) -> float:
    """Wait until the claim holds; returns how many seconds that took."""
    began = time.monotonic()
    while not claim():
        assert time.monotonic() - began < within, f"waited {within} s in vain: {what}"
        time.sleep(0.02)
    return time.monotonic() - began


class Redis:
    """A redis-server that has written to disk what it has acknowledged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        (self.port,) = ports.find_free(1)
        self.start()

    def start(self) -> None:
        command = [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self._folder),
        ]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--logfile", "log"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        eventually(self._answers, "redis-server answers")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        asked = ["redis-cli", "-p", str(self.port), "ping"]
        return b"PONG" in subprocess.run(asked, capture_output=True, check=False, timeout=10).stdout


class Control:
    """Gives bundles and takes what serving tells; ``body`` and ``digest`` are what it gives now."""

    def __init__(self) -> None:
        self.publish(story.bundle(1))
        self.observed = 0
        (self.port,) = ports.find_free(1)
        self.start()

    def publish(self, body: bytes, *, digest: str | None = None) -> None:
        self.offered = (body, digest or story.digest(body))

    def start(self) -> None:
        control = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                known, ends = self.headers.get("If-None-Match", ""), time.monotonic() + 5
                while control.offered[1] in known and time.monotonic() < ends and not control.away:
                    time.sleep(0.02)
                body, digest = control.offered
                if control.away:
                    self.close_connection = True
                elif digest in known:
                    self._answer(304, b"")
                else:
                    self._answer(200, body, ETag=f'"{digest}"')

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                control.observed += self.path.endswith("/observations")
                self._answer(204, b"")

            def _answer(self, status: int, body: bytes, **headers: str) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.away = False
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """End it: what waits is dropped, and nobody is taken any more."""
        self.away = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def build(folder: Path) -> Path:
    """Build serving with the race detector."""
    go, binary = find_go(), folder / "freshline-serving-race"
    words = [go.program("go"), "build", "-race", "-o", binary, "./cmd/freshline-serving"]
    subprocess.run(words, cwd=SERVING, env={**go.environment(), "CGO_ENABLED": "1"}, check=True, timeout=600)
    return binary


class Serving:
    """The process; ``settings`` are of its environment."""

    def __init__(self, binary: Path, folder: Path, **settings: str) -> None:
        (port,) = ports.find_free(1)
        self.address = f"127.0.0.1:{port}"
        folder.mkdir()
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [binary],
                stdout=log,
                stderr=log,
                env={
                    "PATH": os.environ["PATH"],
                    "GORACE": f"exitcode={RACE_FOUND}",
                    "FRESHLINE_SERVING_LISTEN": self.address,
                    "FRESHLINE_SERVING_HOME": str(folder / "home"),
                    "FRESHLINE_SERVING_NAME": "stress",
                    "FRESHLINE_LOOKUP_AUTH": "off",
                    **settings,
                },
            )
        eventually(lambda: self.get("/ready")[0] == 200, "serving is ready", within=60)

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError as away:
            return 0, str(away)

    def gauge(self, name: str) -> float:
        found = re.search(rf"^{name}(?:\{{.*\}})? (\S+)$", self.get("/metrics")[1], re.M)
        assert found, f"{name} is not among the metrics"
        return float(found[1])

    def resident(self) -> int:
        """Return the megabytes of memory that the process holds."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) // 1024

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout: float = 60) -> int:
        return self._process.wait(timeout)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
