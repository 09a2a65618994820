"""Processes of a measurement: each on a free port of the loopback, ended when the measurement is."""

import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools import ports, toolchains
from tools.console import Failure, run, step
from tools.logs import last_lines
from tools.places import SERVING

_PATIENCE_SECONDS = 120.0
_PROGRAMS = ("freshline-serving", "benchserving", "loadgen", "delayproxy", "bareanswer")


@dataclass(frozen=True, slots=True)
class Side:
    """A server that answers lookups at ``address``, as process ``pid`` and what that started."""

    name: str
    address: str
    pid: int


@contextmanager
def running(
    name: str, command: Sequence[str | Path], *, folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run a program until the block ends; give its pid. What it says goes to NAME.log in the folder."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_it_answers(side: Side, path: str, folder: Path) -> None:
    """Return once a server answers a GET with a 200."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://{side.address}{path}", timeout=5):
                return
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > deadline:
                said = last_lines(folder / f"{side.name}.log")
                raise Failure(f"{side.name} does not start ({error}):\n{said}") from error
        time.sleep(0.1)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a private Redis that keeps nothing; give its host:port."""
    (port,) = ports.find_free(1)
    command = [_redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
    with running("redis", command, folder=folder):
        yield f"127.0.0.1:{port}"


def redis_version() -> str:
    """Return the version of the Redis that is measured with."""
    return re.sub(r".*v=(\S+).*", r"\1", run([_redis_server(), "--version"]).strip())


def _redis_server() -> str:
    program = shutil.which("redis-server")
    if program is None:
        raise Failure("redis-server is needed. Debian, Ubuntu: apt-get install redis-server")
    return program


@contextmanager
def delayed(folder: Path, address: str, milliseconds: int) -> Iterator[str]:
    """Put a way of that length before a server; give the address of its far end."""
    (port,) = ports.find_free(1)
    words = ["-listen", f"127.0.0.1:{port}", "-to", address, "-delay", f"{milliseconds}ms"]
    with running("delayproxy", [folder / "delayproxy", *words], folder=folder):
        yield f"127.0.0.1:{port}"


@contextmanager
def bare_answers(folder: Path) -> Iterator[Side]:
    """Run a server that answers with as many bytes as its path says, and looks nothing up."""
    (port,) = ports.find_free(1)
    address = f"127.0.0.1:{port}"
    with running("bareanswer", [folder / "bareanswer", "-listen", address], folder=folder) as pid:
        side = Side("bareanswer", address, pid)
        wait_until_it_answers(side, "/0", folder)
        yield side


def build_programs(folder: Path) -> None:
    """Build serving and what measures it into ``folder``."""
    go = toolchains.find_go()
    with step("building serving and the load client"):
        run(
            [go.program("go"), "build", "-trimpath", "-o", f"{folder}/", *(f"./cmd/{p}" for p in _PROGRAMS)],
            cwd=SERVING,
            env={**go.environment(), "CGO_ENABLED": "0"},
        )
