"""One serving process for all tests of its wire formats."""

import subprocess

import pytest

from tests.serving.wire import Wire
from tools.places import SERVING
from tools.toolchains import find_go


@pytest.fixture(scope="session")
def wire(tmp_path_factory):
    """The process, built from the sources as they stand."""
    folder, go = tmp_path_factory.mktemp("wire"), find_go()
    binary = folder / "freshline-serving"
    subprocess.run(
        [go.program("go"), "build", "-o", binary, "./cmd/freshline-serving"],
        cwd=SERVING,
        env=go.environment(),
        check=True,
        timeout=110,
    )
    made = Wire(folder, binary)
    yield made
    made.close()
