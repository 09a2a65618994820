"""The servers that are measured, and how each fills Redis with the same values in its own layout."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.serving.processes import Side, running, wait_until_it_answers
from benchmarks.serving.table import ALL_VIEWS, EVENT_TIME, KEY, LONGEST_TEXT, PROJECT, SERVICES
from tools import ports
from tools.console import run
from tools.places import ROOT

PROGRAMS = Path(__file__).parent


def fill_freshline(folder: Path, redis_address: str, table: Path) -> Path:
    """Fill Redis through the batch lane; return the bundle that the control plane leaves for serving."""
    home = folder / "freshline"
    (home / "data").mkdir(parents=True)
    shutil.copy(table, home / "data" / table.name)
    _tell(home, home / "data" / table.name)
    filling = {
        **os.environ,
        "FRESHLINE_HOME": str(home),
        "DATABASE_URL": f"sqlite://{home}/control.sqlite3",
        "STORE_URL": f"redis://{redis_address}/0",
        "DJANGO_SETTINGS_MODULE": "controlplane.project.settings",
    }
    run([sys.executable, "-m", "benchmarks.serving.freshline_program", home], cwd=ROOT, env=filling)
    return home / "serving" / "bundle"


@contextmanager
def freshline(
    name: str,
    folder: Path,
    bundle: Path,
    store_url: str,
    *,
    program: str = "freshline-serving",
    words: str = "",
) -> Iterator[Side]:
    """Serve from a bundle with its contracts enforced.

    No control plane runs: serving answers from its last good bundle and keeps its observations on disk, as it
    does whenever the control plane is away.
    """
    home = folder / f"home of {name}"
    home.mkdir()
    shutil.copy(bundle, home / "bundle")
    port, control = ports.find_free(2)
    settings = {
        "PATH": os.environ["PATH"],
        "FRESHLINE_SERVING_LISTEN": f"127.0.0.1:{port}",
        "FRESHLINE_SERVING_HOME": str(home),
        "FRESHLINE_SERVING_NAME": "benchmark",
        "FRESHLINE_CONTROL_URL": f"http://127.0.0.1:{control}",
        "STORE_URL": store_url,
        # Feast's server gives up on nothing, so neither may ours on a machine that is busy.
        "FRESHLINE_LOOKUP_TIMEOUT": "60s",
    }
    with running(name, [folder / program, *words.split()], folder=folder, env=settings) as pid:
        side = Side(name, f"127.0.0.1:{port}", pid)
        wait_until_it_answers(side, "/ready", folder)
        yield side


def feast_version(python: Path) -> str:
    """Return the version of Feast in its environment."""
    return run([python, "-c", "import feast; print(feast.__version__)"]).strip().splitlines()[-1]


def fill_feast(folder: Path, redis_address: str, python: Path, table: Path) -> Path:
    """Fill the same Redis through Feast's materialisation; return its repository."""
    repository = folder / "feast"
    repository.mkdir()
    _tell(repository, table)
    (repository / "feature_store.yaml").write_text(
        f"project: {PROJECT}\nprovider: local\nregistry: {repository}/registry.db\n"
        f"online_store: {{type: redis, connection_string: '{redis_address}'}}\n"
        "offline_store: {type: dask}\nentity_key_serialization_version: 3\n"
    )
    run([python, PROGRAMS / "feast_program.py", repository], cwd=repository, env=_feast_settings(repository))
    return repository


@contextmanager
def feast(folder: Path, repository: Path, python: Path, *, workers: list[int]) -> Iterator[list[Side]]:
    """Run Feast's Python server once for each of ``workers``."""
    with ExitStack() as stack:
        yield [stack.enter_context(_feast_server(folder, repository, python, count)) for count in workers]


@contextmanager
def _feast_server(folder: Path, repository: Path, python: Path, workers: int) -> Iterator[Side]:
    (port,) = ports.find_free(1)
    words = [python.with_name("feast"), "--chdir", repository, "serve", "--port", str(port)]
    # As kind to it as its options allow: no access log, no restart of workers, no re-reading of the registry.
    words += ["--workers", str(workers), "--no-access-log", "--max-requests", "0"]
    words += ["--registry_ttl_sec", "86400", "--keep-alive-timeout", "600"]
    name = feast_name(workers)
    with running(name, words, folder=folder, env=_feast_settings(repository)) as pid:
        side = Side(name, f"127.0.0.1:{port}", pid)
        wait_until_it_answers(side, "/health", folder)
        yield side


def feast_name(workers: int) -> str:
    """Return what the side with so many workers is called."""
    return f"Feast, {workers} worker{'s' if workers > 1 else ''}"


def _feast_settings(repository: Path) -> Mapping[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(repository), "FEAST_USAGE": "False"}


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
