"""Fixtures of the tooling's tests."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.fakes import FakeInstallation
from tools import process_table


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeInstallation]:
    made = FakeInstallation(tmp_path.resolve())
    yield made
    if made.supervisor and made.supervisor.poll() is None:
        os.kill(made.supervisor.pid, signal.SIGKILL)
        made.supervisor.wait()
    process_table.end(made.remains(), patience=0.5)
