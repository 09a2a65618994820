"""Which processes an installation has, how each is started, and how each shows that it is ready."""

import os
from pathlib import Path

from tools.installation import Installation
from tools.places import SERVING_BINARY, management_command
from tools.readiness import Answers, Beats
from tools.supervisor import Door, Process

# Each worker has its own queues, so that a long batch never keeps monitors or streams waiting.
WORKERS = {"ingest": ("ingest",), "stream": ("stream",), "watch": ("probe", "judge", "notify", "lineage")}
# A serving instance waiting for a new bundle holds one of the web process's threads for half a minute.
WEB_THREADS = "32"


def of(installation: Installation, python: Path) -> list[Process]:
    """Return the processes, in the order in which they are started and listed."""
    found = [_web(installation, python)]
    if SERVING_BINARY.is_file():
        found.append(_serving(installation))
    found += [_worker(installation, python, name) for name in WORKERS]
    found.append(_beat(installation, python))
    if not installation.empty and management_command("demo"):
        # It shows that it lives once there is something to see on every page.
        alive = Beats(installation.home / "alive" / "demo")
        found.append(Process("demo", (str(python), "manage.py", "demo", "run"), alive))
    return found


def _web(installation: Installation, python: Path) -> Process:
    command = [str(python), "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    command += ["--port", str(installation.port), "--workers", "1", "--blocking-threads", WEB_THREADS]
    command += ["--no-ws", "controlplane.project.wsgi:application"]
    return Process("web", tuple(command), Answers(f"{installation.url}/readyz"))


def _serving(installation: Installation) -> Process:
    # Lookups that come while serving restarts wait for it at the door: none is refused.
    return Process(
        "serving",
        (str(SERVING_BINARY),),
        Answers(f"{installation.serving_url}/ready"),
        door=Door(installation.serving_port, "FRESHLINE_SERVING_SOCKET_FD"),
    )


def _worker(installation: Installation, python: Path, name: str) -> Process:
    # The stream lane works in short turns: one process serves it.
    slots = "1" if name == "stream" else os.environ.get("FRESHLINE_WORKER_SLOTS", "2")
    command = [
        *_celery(python, "controlplane.project.celery"),
        "worker",
        "-l",
        "INFO",
        "-n",
        f"{name}@%h",
        "-Q",
        ",".join(WORKERS[name]),
        "-c",
        slots,
    ]
    # Workers meet in the database: the broker's gossip would only cost time.
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Process(f"worker-{name}", tuple(command), Beats(installation.home / "alive" / name))


def _celery(python: Path, app: str) -> list[str]:
    # Django's checks load every page and endpoint, which tests have done; no worker shows any.
    # Celery warns of being root in eight lines at every start; in a container that is how it is.
    silence = ["-W", "ignore:You're running the worker"] if os.geteuid() == 0 else []
    return [str(python), *silence, "-m", "celery", "-q", "--skip-checks", "-A", app]


def _beat(installation: Installation, python: Path) -> Process:
    command = [
        *_celery(python, "controlplane.project.beat"),
        "beat",
        "-l",
        "INFO",
        "--max-interval",
        "5",
        "-S",
        "controlplane.project.liveness.TouchingScheduler",
    ]
    return Process("beat", tuple(command), Beats(installation.home / "alive" / "beat"))
