"""Private servers for one run of the tests: PostgreSQL, Redis (also by TLS and as a Cluster), dynalite, moto.

They listen on the loopback, on ports of their own, keep nothing, and end with whoever started them.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tools import certificates, debian, dynamo_doubles, ports
from tools.console import Failure, run, step
from tools.logs import last_lines

_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_PATIENCE_SECONDS = 60.0


class TestServers:
    """A context manager; ``variables`` says where the servers are."""

    __test__ = False  # for pytest, which would take it for a test by its name

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="freshline-test-"))
        self.variables: dict[str, str] = {}
        self._running: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []

    def __enter__(self) -> "TestServers":
        try:
            with step("starting PostgreSQL, Redis, a Redis Cluster, dynalite and moto"):
                self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server, polite in self._running:
            server.send_signal(polite)
        for server, _polite in self._running:
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        self._running.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_all(self) -> None:
        postgres, single, secured, dynalite, moto, *nodes = ports.find_free(11)
        user = self._user()
        self._start("dynalite", dynamo_doubles.dynalite(dynalite), user=None, polite=signal.SIGTERM)
        self._start("moto", dynamo_doubles.moto(moto), user=None, polite=signal.SIGTERM)
        self._start_postgres(postgres, user)
        self._start_redis(single)
        self._start_secured_redis(secured)
        cluster, buses = nodes[:3], nodes[3:]
        for port, bus in zip(cluster, buses, strict=True):
            self._start_redis(port, "--cluster-enabled", "yes", "--cluster-port", str(bus))
        self._wait_for_postgres(postgres)
        self._join(cluster)
        self._wait_until("dynalite", partial(_listens, dynalite))
        self._wait_until("moto", partial(_listens, moto))
        self._wait_until("redis-0", partial(_listens, secured))
        addresses = ",".join(f"127.0.0.1:{port}" for port in cluster)
        self.variables = {
            "FRESHLINE_TEST_POSTGRES_URL": f"postgresql://freshline@127.0.0.1:{postgres}/freshline",
            "FRESHLINE_TEST_REDIS_URL": f"redis://127.0.0.1:{single}/0",
            "FRESHLINE_TEST_REDIS_CLUSTER_URL": f"redis+cluster://{addresses}",
            "FRESHLINE_TEST_REDIS_TLS_URL": (
                f"rediss://tester:p%40ss@127.0.0.1:{secured}/0?ca_file={self.folder / certificates.CA}"
            ),
            "FRESHLINE_TEST_DYNALITE_URL": f"http://127.0.0.1:{dynalite}",
            "FRESHLINE_TEST_MOTO_URL": f"http://127.0.0.1:{moto}",
            # Both take any; none of a person's own may reach them.
            "AWS_ACCESS_KEY_ID": "freshline-test",
            "AWS_SECRET_ACCESS_KEY": "freshline-test",
        }

    def _user(self) -> str | None:
        """Return the user to run PostgreSQL as: it refuses to be root."""
        if os.geteuid() != 0:
            return None
        self.folder.chmod(0o755)
        try:
            return pwd.getpwnam("postgres").pw_name
        except KeyError:
            return "nobody"

    def _start_postgres(self, port: int, user: str | None) -> None:
        initdb = debian.POSTGRES.find()
        assert initdb is not None
        data = self.folder / "postgres"
        data.mkdir()
        if user:
            shutil.chown(data, user)
        making = [str(initdb), "-D", str(data / "data"), "-U", "freshline", "-A", "trust"]
        making += ["--no-sync", "-E", "UTF8", "--locale=C"]
        self._run_as(user, making)
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(data),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "200",
        }
        command = [str(initdb.with_name("postgres")), "-D", str(data / "data"), "-p", str(port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._start("postgres", command, user=user, polite=signal.SIGINT)  # its "fast" shutdown

    def _run_as(self, user: str | None, command: list[str]) -> None:
        done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failure(f"{command[0]} failed:\n{done.stdout}{done.stderr}")

    def _start_redis(self, port: int, *options: str) -> None:
        folder = self.folder / f"redis-{port}"
        folder.mkdir()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        command += ["--save", "", "--appendonly", "no", "--protected-mode", "no", *options]
        self._start(f"redis-{port}", command, user=None, polite=signal.SIGTERM)

    def _start_secured_redis(self, port: int) -> None:
        """Start one that speaks nothing but TLS and knows one user, who needs a password."""
        certificates.make(self.folder)
        tls = ["--tls-port", str(port), "--tls-auth-clients", "no"]
        for option, file in [
            ("ca-cert-file", certificates.CA),
            ("cert-file", certificates.CERTIFICATE),
            ("key-file", certificates.KEY),
        ]:
            tls += [f"--tls-{option}", str(self.folder / file)]
        users = ["--user", "default", "off", "--user", "tester", "on", ">p@ss", "~fl*", "&*", "+@all"]
        self._start_redis(0, *tls, *users)

    def _start(self, name: str, command: list[str], *, user: str | None, polite: signal.Signals) -> None:
        with self._log(name).open("wb") as log:
            server = subprocess.Popen(
                command,
                user=user,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for the tests; we end the servers after them
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - there are no threads here
            )
        self._running.append((server, polite))

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _wait_for_postgres(self, port: int) -> None:
        initdb = debian.POSTGRES.find()
        assert initdb is not None
        create = [initdb.with_name("createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "freshline"]
        self._wait_until("postgres", lambda: _succeeds([*map(str, create), "freshline"]))

    def _join(self, cluster: list[int]) -> None:
        for port in cluster:
            self._wait_until(f"redis-{port}", partial(_redis_says, "PONG", port, "ping"))
        nodes = [f"127.0.0.1:{port}" for port in cluster]
        run(["redis-cli", "--cluster", "create", *nodes, "--cluster-replicas", "0", "--cluster-yes"])
        for port in cluster:
            joined = partial(_redis_says, "cluster_state:ok", port, "cluster", "info")
            self._wait_until(f"redis-{port}", joined)

    def _wait_until(self, name: str, claim: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not claim():
            if time.monotonic() > deadline:
                raise Failure(f"{name} does not start. The end of its log:\n{last_lines(self._log(name))}")
            time.sleep(0.05)


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _redis_says(expected: str, port: int, *words: str) -> bool:
    done = subprocess.run(
        ["redis-cli", "-p", str(port), *words], capture_output=True, text=True, check=False, timeout=10
    )
    return expected in done.stdout


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end_with_parent() -> None:
    """Have the kernel end this process when its parent dies, even by kill -9 (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, int(signal.SIGTERM))
