"""A pytest plugin for ./dev test: marks every test that uses the database, so that those can be run again
on another one (``-m database``)."""

import pytest

_FIXTURES = frozenset({"db", "transactional_db", "django_db_setup", "live_server"})


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "database: uses Django's database (set by ./dev test)")


@pytest.hookimpl(tryfirst=True)  # before the tests are chosen by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if item.get_closest_marker("django_db") or not _FIXTURES.isdisjoint(fixtures):
            item.add_marker("database")
