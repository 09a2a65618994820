"""Servers that a test may break: a redis-server of its own, a proxy, a listener that never answers."""

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from redis import Redis
from redis.exceptions import RedisError


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, low enough that a cluster's bus port (10,000 higher) exists."""
    sockets = [socket.socket() for _ in range(count * 20)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        found = [port for each in sockets if (port := each.getsockname()[1]) < 55_000]
    finally:
        for each in sockets:
            each.close()
    assert len(found) >= count
    return found[:count]


def wait_until(claim: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Ask until it is so: for what another process does in its own time."""
    pause = threading.Event()
    deadline = monotonic() + seconds
    while not claim():
        assert monotonic() < deadline, "waited too long"
        pause.wait(0.02)


class RedisServer:
    """A redis-server of this test alone; its data outlive a kill when ``folder`` is kept."""

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        self.port = port or free_ports(1)[0]
        self._command = [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(folder),
        ]
        self._command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always", *options]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        wait_until(self._answers)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def client(self) -> Redis:
        return Redis(port=self.port, socket_timeout=5)

    def _answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except RedisError:
            return False


class Proxy:
    """Passes a connection on to ``port``, until told to swallow answers or to cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.lose_answers_to: bytes | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def _pass(self, near: socket.socket) -> None:
        """A request that holds ``lose_answers_to`` is carried out, and its answer is lost; once."""
        with near, socket.create_connection(("127.0.0.1", self._target)) as far:
            back = threading.Thread(target=self._answer, args=(far, near), daemon=True)
            back.start()
            while request := _receive(near):
                if self.lose_answers_to is not None and self.lose_answers_to in request:
                    self.lose_answers_to = None
                    near.shutdown(socket.SHUT_RDWR)
                    far.sendall(request)
                    return
                far.sendall(request)

    def _answer(self, far: socket.socket, near: socket.socket) -> None:
        while answer := _receive(far):
            try:
                near.sendall(answer)
            except OSError:
                return


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 20)
    except OSError:
        return b""


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def redis_cluster(folder: Path) -> Iterator[list[RedisServer]]:
    """Three primaries without replicas, that go on with the slots they have when one is gone."""
    servers = []
    try:
        for port in free_ports(3):
            (folder / str(port)).mkdir()
            options = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
            servers.append(RedisServer(folder / str(port), *options, port=port))
        addresses = [f"127.0.0.1:{server.port}" for server in servers]
        command = ["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)
        wait_until(lambda: all(is_whole(server) for server in servers))
        yield servers
    finally:
        for server in servers:
            server.kill()


def is_whole(server: RedisServer) -> bool:
    """Whether the server sees all three and all slots."""
    info = server.client().execute_command("CLUSTER INFO")
    return info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "3"
