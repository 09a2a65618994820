"""Redis, Freshline's serving and Feast's feature server, each a process of its own on a free port."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving_beside_feast.table import ALL_VIEWS, EVENT_TIME, KEY, LONGEST_TEXT, PROJECT, SERVICES
from tools import ports, toolchains
from tools.console import Failure, run, step
from tools.logs import last_lines
from tools.places import ROOT, SERVING

PROGRAMS = Path(__file__).parent
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Side:
    """A server that answers lookups at ``address``, as process ``pid`` and what that started."""

    name: str
    address: str
    pid: int


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a private Redis that keeps nothing; give its host:port."""
    program = shutil.which("redis-server")
    if program is None:
        raise Failure("redis-server is needed. Debian, Ubuntu: apt-get install redis-server")
    (port,) = ports.find_free(1)
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    with _running("redis", command, folder=folder):
        yield f"127.0.0.1:{port}"


@contextmanager
def freshline(folder: Path, redis_address: str) -> Iterator[Side]:
    """Fill Redis through the batch lane, then serve from the bundle it left, with contracts enforced.

    No control plane runs: serving answers from its last good bundle and keeps its observations on disk, as it
    does whenever the control plane is away.
    """
    home = folder / "freshline"
    (home / "data").mkdir(parents=True)
    (folder / "table.parquet").rename(home / "data" / "table.parquet")
    _tell(home, home / "data" / "table.parquet")
    store = f"redis://{redis_address}/0"
    filling = {
        **os.environ,
        "FRESHLINE_HOME": str(home),
        "DATABASE_URL": f"sqlite://{home}/control.sqlite3",
        "STORE_URL": store,
        "DJANGO_SETTINGS_MODULE": "controlplane.project.settings",
    }
    run(
        [sys.executable, "-m", "benchmarks.serving_beside_feast.freshline_program", home],
        cwd=ROOT,
        env=filling,
    )
    port, control = ports.find_free(2)
    serving = {
        "PATH": os.environ["PATH"],
        "FRESHLINE_SERVING_LISTEN": f"127.0.0.1:{port}",
        "FRESHLINE_SERVING_HOME": str(home / "serving"),
        "FRESHLINE_SERVING_NAME": "benchmark",
        "FRESHLINE_CONTROL_URL": f"http://127.0.0.1:{control}",
        "STORE_URL": store,
        # Feast's server gives up on nothing, so neither may ours on a machine that is busy.
        "FRESHLINE_LOOKUP_TIMEOUT": "60s",
    }
    with _running("freshline", [str(folder / "freshline-serving")], folder=folder, env=serving) as pid:
        side = Side("Freshline", f"127.0.0.1:{port}", pid)
        _wait_until_it_answers(side, "/ready", folder)
        yield side


@contextmanager
def feast(
    folder: Path, redis_address: str, python: Path, table: Path, *, workers: list[int]
) -> Iterator[list[Side]]:
    """Fill the same Redis in Feast's layout, then run its Python server once for each of ``workers``."""
    repository = folder / "feast"
    repository.mkdir()
    _tell(repository, table)
    (repository / "feature_store.yaml").write_text(
        f"project: {PROJECT}\nprovider: local\nregistry: {repository}/registry.db\n"
        f"online_store: {{type: redis, connection_string: '{redis_address}'}}\n"
        "offline_store: {type: dask}\nentity_key_serialization_version: 3\n"
    )
    settings = {"PATH": os.environ["PATH"], "HOME": str(repository), "FEAST_USAGE": "False"}
    run([python, PROGRAMS / "feast_program.py", repository], cwd=repository, env=settings)
    with _feast_servers(folder, repository, python, workers, settings) as sides:
        yield sides


@contextmanager
def _feast_servers(
    folder: Path, repository: Path, python: Path, workers: list[int], settings: Mapping[str, str]
) -> Iterator[list[Side]]:
    if not workers:
        yield []
        return
    (port,) = ports.find_free(1)
    words = [str(python.with_name("feast")), "--chdir", str(repository), "serve", "--port", str(port)]
    # As kind to it as its options allow: no access log, no restart of workers, no re-reading of the registry.
    words += ["--workers", str(workers[0]), "--no-access-log", "--max-requests", "0"]
    words += ["--registry_ttl_sec", "86400", "--keep-alive-timeout", "600"]
    name = f"Feast, {workers[0]} worker{'s' if workers[0] > 1 else ''}"
    with _running(name, words, folder=folder, env=settings) as pid:
        side = Side(name, f"127.0.0.1:{port}", pid)
        _wait_until_it_answers(side, "/health", folder)
        with _feast_servers(folder, repository, python, workers[1:], settings) as others:
            yield [side, *others]


def build_programs(folder: Path) -> Path:
    """Build serving and the load client into ``folder`` and return the load client's path."""
    go = toolchains.find_go()
    programs = ["./cmd/freshline-serving", "./cmd/loadgen"]
    with step("building serving and the load client"):
        run(
            [go.program("go"), "build", "-trimpath", "-o", f"{folder}/", *programs],
            cwd=SERVING,
            env={**go.environment(), "CGO_ENABLED": "0"},
        )
    return folder / "loadgen"


def _tell(folder: Path, table: Path) -> None:
    """Write what the two programs that fill Redis need to know."""
    document = {
        "project": PROJECT,
        "path": str(table),
        "key": KEY,
        "event_time": EVENT_TIME,
        "longest_text": LONGEST_TEXT,
        "views": {view.name: view.features for view in ALL_VIEWS},
        "services": {name: [view.name for view in views] for name, views in SERVICES.items()},
    }
    (folder / "table.json").write_text(json.dumps(document))


@contextmanager
def _running(
    name: str, command: list[str], *, folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[int]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(side: Side, path: str, folder: Path) -> None:
    log = folder / ("freshline.log" if side.name == "Freshline" else f"{side.name}.log")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://{side.address}{path}", timeout=5):
                return
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > deadline:
                raise Failure(f"{side.name} does not start ({error}):\n{last_lines(log)}") from error
        time.sleep(0.1)
