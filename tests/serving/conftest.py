"""One serving process for all tests of its wire formats."""

import subprocess

import grpc
import pytest

from tests.serving.stubs import make
from tests.serving.wire import Wire
from tools.places import SERVING
from tools.toolchains import find_go


@pytest.fixture(scope="session")
def binary(tmp_path_factory):
    """Serving, built from the sources as they stand."""
    go = find_go()
    binary = tmp_path_factory.mktemp("binary") / "freshline-serving"
    subprocess.run(
        [go.program("go"), "build", "-o", binary, "./cmd/freshline-serving"],
        cwd=SERVING,
        env=go.environment(),
        check=True,
        timeout=110,
    )
    return binary


@pytest.fixture(scope="session")
def wire(tmp_path_factory, binary):
    """The process."""
    made = Wire(tmp_path_factory.mktemp("wire"), binary)
    yield made
    made.close()


@pytest.fixture(scope="session")
def stubs(tmp_path_factory):
    """A gRPC client's generated code."""
    return make(tmp_path_factory.mktemp("stubs"))


@pytest.fixture
def channel(wire):
    """A connection to the process."""
    with grpc.insecure_channel(wire.address) as made:
        yield made
