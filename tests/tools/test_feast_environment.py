"""The environment of real Feast that tests compare with."""

from pathlib import Path

import pytest

from tests import real_feast
from tools.places import REQUIREMENTS


@pytest.mark.feast
def test_it_has_the_feast_of_its_lock_with_every_store_that_we_read(tmp_path: Path) -> None:
    stores = ("redis", "dynamodb", "sqlite", "remote")
    modules = ", ".join(f"feast.infra.online_stores.{store}" for store in stores)
    version = real_feast.run("-c", f"import {modules}\nprint(feast.__version__)", folder=tmp_path).split()[-1]
    assert f"feast=={version} " in (REQUIREMENTS / "feast.txt").read_text()


def test_a_test_that_needs_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRESHLINE_TEST_FEAST_PYTHON", raising=False)
    with pytest.raises(AssertionError, match=r"run \./dev test, which makes Feast's environment"):
        real_feast.python()
