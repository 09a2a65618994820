"""The hand-written data set, loaded once."""

import pytest

from controlplane.project.demo.data import DataSet
from tests.project.demo import story


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    return DataSet(story.write_package(tmp_path_factory.mktemp("nycflights")))


@pytest.fixture
def timeline(dataset):
    return story.make_timeline(dataset)


@pytest.fixture
def places(tmp_path):
    return story.make_places(tmp_path / "home")
