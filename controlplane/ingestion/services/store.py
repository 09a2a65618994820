"""The one online store of this process, and the layouts that were written to it."""

from functools import lru_cache

from django.conf import settings

from controlplane.registry.domain.records import ViewRecord
from store_adapters import Layout, Store, open_store

# Given to the store instead of a run's number where one run makes many calls (stream, direct): there, a
# stored row with the run's number is no sign of a lost answer.
NO_RUN = 0


def online_store() -> Store:
    """Return the store that STORE_URL names; one per process and URL."""
    return _open(settings.STORE_URL)


def ensure_layout(store: Store, record: ViewRecord, layout: Layout) -> None:
    """Write the layout before the first row that uses it, once per process."""
    _write_layout(store, record.project, record.name, layout)  # hashed by identity


def forget_layouts() -> None:
    """Write every layout again when it is next used: a view's rows and layouts were purged."""
    _write_layout.cache_clear()


@lru_cache(maxsize=8)
def _open(url: str) -> Store:
    return open_store(url)


@lru_cache(maxsize=10_000)
def _write_layout(store: Store, project: str, view: str, layout: Layout) -> None:
    store.write_layout(project, view, layout)
