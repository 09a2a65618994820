"""The virtual environment, filled from the hash-locked requirements."""

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import stamps
from tools.console import Failure, run, step
from tools.places import DOWNLOADS, REQUIREMENTS, VENV, python_of

# The demo's package asks for pandas, which nothing of ours needs.
WITHOUT_DEPENDENCIES = frozenset({"demo"})
# dev.in includes these: who has the larger has the smaller (a test compares the pins).
IMPLIED = {"dev": ("core", "dynamodb")}
_MARKER = "freshline-locks.json"


@contextmanager
def preparing() -> Iterator[None]:
    """Let one ./dev at a time install and build in this folder; others wait for it."""
    DOWNLOADS.mkdir(exist_ok=True)
    with (DOWNLOADS / "preparing.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure(*sets: str, venv: Path = VENV) -> Path:
    """Return the environment's Python, with the named requirement sets installed as locked."""
    python = python_of(venv)
    if not _is_usable(venv):
        _make(venv)
    installed = _read_marker(venv)
    for name in sets:
        lock = REQUIREMENTS / f"{name}.txt"
        wanted = stamps.digest([lock])
        if installed.get(name) == wanted:
            continue
        with step(f"installing the Python packages of requirements/{name}.txt"):
            install(python, lock, dependencies=name not in WITHOUT_DEPENDENCIES)
        installed[name] = wanted
        for implied in IMPLIED.get(name, ()):
            installed[implied] = stamps.digest([REQUIREMENTS / f"{implied}.txt"])
        (venv / _MARKER).write_text(json.dumps(installed, indent=1))
    return python


def install(python: Path, lock: Path, *, dependencies: bool, target: Path | None = None) -> None:
    """Install a lock file with pip, every hash checked."""
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes"]
    options += ["--target", str(target), "--no-compile"] if target else []
    options += [] if dependencies else ["--no-deps"]
    run(
        [python, "-m", "pip", "install", *options, "-r", lock],
        advice="The packages come from the Python package index: is it reachable from here?",
    )


def _is_usable(venv: Path) -> bool:
    python = python_of(venv)
    if not python.exists():
        return False
    # A folder that was copied, or whose Python was upgraded away, looks like an environment and is none.
    check = "import sys, pip; print(sys.prefix, sys.version_info >= (3, 11))"
    said = subprocess.run([str(python), "-c", check], capture_output=True, text=True, check=False)
    prefix, _, recent = said.stdout.strip().rpartition(" ")
    return said.returncode == 0 and recent == "True" and Path(prefix).resolve() == venv.resolve()


def _make(venv: Path) -> None:
    if venv.is_symlink():
        raise Failure(
            f"{venv} is a link to {venv.resolve()}, which is no usable environment. Remove the link."
        )
    with step(f"making the virtual environment {venv.name} (Python {sys.version.split()[0]})"):
        if venv.exists():
            shutil.rmtree(venv)
        try:
            run(
                [sys.executable, "-m", "venv", venv],
                advice="Python's venv module is missing. Debian, Ubuntu: apt-get install python3-venv",
            )
        except Failure:
            shutil.rmtree(venv, ignore_errors=True)
            raise


def _read_marker(venv: Path) -> dict[str, str]:
    try:
        found = json.loads((venv / _MARKER).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
