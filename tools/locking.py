"""`./dev lock`: requirements/*.in to hash-locked requirements/*.txt, with uv."""

import shutil

from tools.console import Failure, run, step
from tools.places import REQUIREMENTS, ROOT

# In this order: what tests need is pinned to what a running installation has.
SETS: dict[str, list[str]] = {
    "core": [],
    "demo": ["--no-deps"],
    "dynamodb": ["--constraint", "requirements/core.txt"],
    "dev": ["--constraint", "requirements/core.txt", "--constraint", "requirements/dynamodb.txt"],
    "feast": [],
    "go": [],
    "node": [],
}


def lock(*, upgrade: bool) -> None:
    """Write every lock anew; pins stay as they are unless ``upgrade`` or the .in file says otherwise."""
    uv = shutil.which("uv")
    if not uv:
        raise Failure("./dev lock needs uv, which resolves for every platform at once: pip install uv")
    for name, options in SETS.items():
        source, target = f"requirements/{name}.in", f"requirements/{name}.txt"
        command = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
        command += ["--python-version", "3.11", "--no-emit-index-url", "--no-emit-find-links"]
        command += [*options, *(["--upgrade"] if upgrade else []), source, "-o", target]
        with step(f"locking {target}"):
            run(command, cwd=ROOT)
    missing = [path.stem for path in REQUIREMENTS.glob("*.in") if path.stem not in SETS]
    if missing:
        raise Failure(f"requirements/{missing[0]}.in is not among the sets that ./dev lock knows.")
