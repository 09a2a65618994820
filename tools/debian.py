"""Programs that tests need and that come from the operating system."""

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.console import Failure, run, step

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Program:
    """Something that must be there, and the Debian packages that bring it."""

    name: str
    packages: tuple[str, ...]
    find: Callable[[], Path | None]


def _on_path(*names: str) -> Callable[[], Path | None]:
    def find() -> Path | None:
        found = next((path for name in names if (path := shutil.which(name))), None)
        return Path(found) if found else None

    return find


def find_postgres() -> Path | None:
    """Return PostgreSQL's ``initdb``; Debian keeps it off the PATH, one folder for each version."""
    folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(
        folders, key=lambda path: int(path.parts[-3]) if path.parts[-3].isdigit() else 0, default=None
    )
    return newest or _on_path("initdb")()


POSTGRES = Program("PostgreSQL", ("postgresql",), find_postgres)
REDIS = Program("Redis", ("redis-server", "redis-tools"), _on_path("redis-server"))
CHROMIUM = Program("Chromium", ("chromium", "fonts-liberation"), _on_path(*CHROMIUMS))
COMPILER = Program("a C compiler (for Go's race detector)", ("gcc", "libc6-dev"), _on_path("gcc", "cc"))


def ensure(programs: Iterable[Program]) -> None:
    """Install what is missing when we may; else raise ``Failure`` with what to install."""
    missing = [program for program in programs if program.find() is None]
    if not missing:
        return
    packages = sorted({package for program in missing for package in program.packages})
    names = ", ".join(program.name for program in missing)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failure(
            f"The tests need {names}. On Debian or Ubuntu:\n    sudo apt-get install {' '.join(packages)}"
        )
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing {names} (apt-get install {' '.join(packages)})"):
        run(["apt-get", "update", "-qq"], env=quiet)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=quiet)
    still = [program.name for program in missing if program.find() is None]
    if still:
        raise Failure(f"apt-get installed {' '.join(packages)}, but {', '.join(still)} cannot be found.")
