"""Two servers that speak DynamoDB's protocol, neither written by us: dynalite (npm) and moto's (Python)."""

from tools import stamps, toolchains
from tools.console import step
from tools.places import ROOT, VENV, python_of

_PACKAGES = ROOT / "tests" / "servers"


def install_dynalite(node: toolchains.Toolchain) -> None:
    """Run ``npm ci`` when the lock file has changed since."""
    stamp = stamps.Stamp("npm-servers")
    lock = [_PACKAGES / "package.json", _PACKAGES / "package-lock.json"]
    wanted = stamps.digest(lock, node.version)
    if stamp.is_current(wanted) and (_PACKAGES / "node_modules").is_dir():
        return
    with step("installing the test servers of npm"):
        # Without scripts: one would build a database on disk, and dynalite keeps its data in memory here.
        toolchains.run_npm(node, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=_PACKAGES)
    stamp.record(wanted)


def dynalite(port: int) -> list[str]:
    """Return the command of a dynalite; tables come and go at once."""
    node = toolchains.find_node()
    install_dynalite(node)
    script = _PACKAGES / "node_modules" / "dynalite" / "cli.js"
    command = [str(node.program("node")), str(script), "--host", "127.0.0.1", "--port", str(port)]
    for delay in ("--createTableMs", "--deleteTableMs", "--updateTableMs"):
        command += [delay, "0"]
    return command


def moto(port: int) -> list[str]:
    """Return the command of moto's server."""
    return [str(python_of(VENV)), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
