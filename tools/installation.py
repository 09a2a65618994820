"""One installation: a home folder with all its state, and HOME/run.json, which says how it runs now."""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO

from tools import process_table
from tools.console import Failure

# What a later `./dev demo` or a restarted process needs to know of the environment of `./dev up`.
_KEPT_PREFIX = "FRESHLINE_"
_KEPT = ("DATABASE_URL", "BROKER_URL", "STORE_URL", "STATE_URL")


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What the supervisor last knew of one process. ``since`` is in seconds since 1970."""

    name: str
    state: str  # starting, ready, waiting (to be restarted), resting (until told otherwise), stopped
    pid: int = 0
    restarts: int = 0
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Installation:
    """Everything that has to be known to run, find, ask or stop what runs in a home."""

    home: Path
    port: int
    serving_port: int
    empty: bool
    environment: Mapping[str, str]
    supervisor: int = 0  # process id
    state: str = "preparing"  # preparing, starting, ready, stopping, stopped
    processes: tuple[ProcessState, ...] = field(default_factory=tuple)

    @property
    def url(self) -> str:
        """Where the web UI and API are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def serving_url(self) -> str:
        """Where lookups are answered."""
        return f"http://127.0.0.1:{self.serving_port}"

    @property
    def logs(self) -> Path:
        """The folder of the log files."""
        return self.home / "logs"

    def child_environment(self) -> dict[str, str]:
        """Return the whole environment of a process of this installation.

        They keep their bytecode, whatever the person's own shell says: compiling is half of a start.
        """
        return {**_without_ours(os.environ), **self.environment, "PYTHONDONTWRITEBYTECODE": ""}


def plan(
    home: Path, *, port: int, serving_port: int, empty: bool, environ: Mapping[str, str]
) -> Installation:
    """Describe an installation that is to be started; what ``environ`` sets wins over our defaults."""
    installation = Installation(home, port, serving_port, empty, {})
    defaults = {
        "FRESHLINE_PUBLIC_URL": installation.url,
        "FRESHLINE_SERVING_URL": installation.serving_url,
        # Receivers on this machine (the demo's among them) are what a local installation talks to.
        "FRESHLINE_EGRESS_ALLOW": "127.0.0.1,localhost,::1",
        "FRESHLINE_SOURCE_ROOTS": str(home / "data"),
        "STORE_URL": f"sqlite://{home}/store.sqlite3",
    }
    chosen = {name: value for name, value in environ.items() if _is_kept(name)}
    fixed = {
        "FRESHLINE_HOME": str(home),
        "FRESHLINE_CONTROL_URL": installation.url,
        "FRESHLINE_SERVING_LISTEN": f"127.0.0.1:{serving_port}",
        "FRESHLINE_SERVING_TOKEN_FILE": str(home / "serving-token"),
        "FRESHLINE_SERVING_HOME": str(home / "serving"),
        "PYTHONUNBUFFERED": "1",
    }
    return replace(installation, environment={**defaults, **chosen, **fixed})


def _is_kept(name: str) -> bool:
    return (name.startswith(_KEPT_PREFIX) or name in _KEPT) and name != process_table.MARK


def _without_ours(environ: Mapping[str, str]) -> dict[str, str]:
    ours = {name for name in environ if _is_kept(name) or name == process_table.MARK}
    return {name: value for name, value in environ.items() if name not in ours}


def write(installation: Installation) -> None:
    """Write HOME/run.json whole or not at all, mode 600: URLs in it may hold passwords."""
    document = {**asdict(installation), "format": 1, "home": str(installation.home)}
    document["urls"] = {"web": installation.url, "serving": installation.serving_url}
    partial = installation.home / f"run.json.{os.getpid()}"
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(document, file, indent=1)
    partial.rename(installation.home / "run.json")


def read(home: Path) -> Installation | None:
    """Return how the home runs, or last ran; None if it never did."""
    path = home / "run.json"
    try:
        document = json.loads(path.read_text())
        return Installation(
            home=home,
            port=int(document["port"]),
            serving_port=int(document["serving_port"]),
            empty=bool(document["empty"]),
            environment={str(name): str(value) for name, value in document["environment"].items()},
            supervisor=int(document["supervisor"]),
            state=str(document["state"]),
            processes=tuple(ProcessState(**process) for process in document["processes"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise Failure(
            f"{path} cannot be read ({wrong!r}). Remove it; the next ./dev up writes it anew."
        ) from wrong


class Lock:
    """HOME/supervisor.lock: held as long as somebody prepares or supervises the home.

    The kernel frees it when the holder dies, however it dies; a file with a process id would lie then.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    def take(cls, home: Path) -> "Lock | None":
        """Take the lock, or return None when another holds it."""
        file = (home / "supervisor.lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return cls(file)

    @classmethod
    def inherited(cls, handle: int) -> "Lock":
        """Hold on to a lock that our parent took and passed on."""
        return cls(os.fdopen(handle, "a"))

    @property
    def handle(self) -> int:
        """The file descriptor, for passing on."""
        return self._file.fileno()

    def release(self) -> None:
        """Let go; a process that it was passed on to holds on."""
        self._file.close()


def is_held(home: Path) -> bool:
    """Whether somebody prepares or supervises the home."""
    if not (home / "supervisor.lock").exists():
        return False
    lock = Lock.take(home)
    if lock is None:
        return True
    lock.release()
    return False
