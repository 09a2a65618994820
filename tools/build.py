"""What is built from the sources: the front end, the Go binary, the static files.

Each result is made again only when what it is made from has changed.
"""

from collections.abc import Mapping
from pathlib import Path

from tools import stamps, toolchains
from tools.console import run, step
from tools.places import FRONTEND, PACKAGES, REQUIREMENTS, ROOT, SERVING, SERVING_BINARY

_NOT_SOURCES = ("node_modules", "dist", "bin", "__pycache__", "templates", "testdata", "test-results")


def install_frontend_packages(node: toolchains.Toolchain) -> None:
    """Run ``npm ci`` when the lock file has changed since."""
    stamp = stamps.Stamp("npm")
    wanted = stamps.digest([FRONTEND / "package.json", FRONTEND / "package-lock.json"], node.version)
    if stamp.is_current(wanted) and (FRONTEND / "node_modules").is_dir():
        return
    with step("installing the front end's packages"):
        toolchains.run_npm(node, "ci", "--no-audit", "--no-fund", cwd=FRONTEND)
    stamp.record(wanted)


def build_frontend() -> None:
    """Build frontend/dist/ from the TypeScript and CSS, if there is a front end and it has changed."""
    if not (FRONTEND / "package.json").is_file():
        return
    stamp = stamps.Stamp("frontend")
    sources = [
        p for p in stamps.files_under(FRONTEND, without=_NOT_SOURCES) if p.suffix not in (".py", ".pyc")
    ]
    wanted = stamps.digest(sources)
    if stamp.is_current(wanted) and (FRONTEND / "dist").is_dir():
        return
    node = toolchains.find_node()
    install_frontend_packages(node)
    with step("building the front end"):
        toolchains.run_npm(node, "run", "build", cwd=FRONTEND)
    stamp.record(wanted)


def build_serving() -> None:
    """Build the Go binary, if there is Go code and it has changed."""
    if not (SERVING / "cmd" / "freshline-serving").is_dir():
        return
    stamp = stamps.Stamp("serving")
    sources = stamps.files_under(SERVING, without=_NOT_SOURCES)
    wanted = stamps.digest(path for path in sources if not path.name.endswith("_test.go"))
    if stamp.is_current(wanted) and SERVING_BINARY.is_file():
        return
    go = toolchains.find_go()
    with step("building serving"):
        run(
            [go.program("go"), "build", "-trimpath", "-o", SERVING_BINARY, "./cmd/freshline-serving"],
            cwd=SERVING,
            # One static binary: nothing in it needs C.
            env={**go.environment(), "CGO_ENABLED": "0"},
        )
    stamp.record(wanted)


def collect_static(python: Path, environment: Mapping[str, str], home: Path) -> None:
    """Copy the static files of all apps to HOME/static, if any has changed."""
    stamp = stamps.Stamp("static.digest", home)
    ours = [path for name in PACKAGES for path in _static_files(ROOT / name)]
    wanted = stamps.digest([*ours, REQUIREMENTS / "core.txt"])
    if stamp.is_current(wanted) and (home / "static").is_dir():
        return
    with step("collecting static files"):
        run(
            [python, "manage.py", "collectstatic", "--no-input", "--clear", "--verbosity", "0"],
            env=environment,
        )
    stamp.record(wanted)


def _static_files(package: Path) -> list[Path]:
    folders = [package / "dist", *(p for p in package.glob("**/static") if "node_modules" not in p.parts)]
    return [path for folder in folders for path in stamps.files_under(folder)]
