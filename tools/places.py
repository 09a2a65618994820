"""Where things are. Everything ./dev makes lies in folders that git ignores."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
DOWNLOADS = ROOT / ".tools"  # toolchains, stamps, locks
FRONTEND = ROOT / "frontend"
SERVING = ROOT / "serving"
SERVING_BINARY = SERVING / "bin" / "freshline-serving"
DEFAULT_HOME = ROOT / ".freshline"
PACKAGES = ("controlplane", "store_adapters", "lineage", "monitors", "frontend")


def python_of(venv: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return venv / "bin" / "python"


def management_command(name: str) -> Path | None:
    """Return the file of one of our Django commands, or None while there is no such command."""
    for package in PACKAGES:
        for path in (ROOT / package).glob(f"**/management/commands/{name}.py"):
            return path
    return None
