"""The program `freshline` of the environment, which runs the code of this folder."""

import shlex
from pathlib import Path

from tools.places import ROOT, python_of


def write(venv: Path) -> Path:
    """Write VENV/bin/freshline, unless it is there as it must be; return its path.

    A launcher instead of an installation: it takes no time, needs nothing from a package index, and follows
    the folder's code. ``pip install .`` makes a program of the same name from the same entry point.
    """
    program = venv / "bin" / "freshline"
    # sys.path[0] is where the caller stands: its files must not be taken for our modules.
    code = (
        f"import sys; sys.path[0] = {str(ROOT)!r}; from controlplane.cli.main import main; sys.exit(main())"
    )
    text = f'#!/bin/sh\nexec {shlex.quote(str(python_of(venv)))} -c {shlex.quote(code)} "$@"\n'
    if not program.is_file() or program.read_text() != text:
        beside = program.with_name(".freshline.new")  # whoever starts it meanwhile finds a whole one
        beside.write_text(text)
        beside.chmod(0o755)
        beside.replace(program)
    return program
