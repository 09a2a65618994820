"""The online stores of this process, one for each name, and the layouts that were written to them."""

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings

from controlplane.kernel.errors import Refused, Unavailable
from controlplane.kernel.names import DEFAULT_STORE
from controlplane.registry.domain.records import ViewRecord
from store_adapters import Layout, Store, is_read_only, open_store

# Given to the store instead of a run's number where one run makes many calls (stream, direct): there, a
# stored row with the run's number is no sign of a lost answer.
NO_RUN = 0


# Gives the store of a name; tests put their own in place of ``online_store``.
Stores = Callable[[str], Store]


def online_store(name: str = DEFAULT_STORE) -> Store:
    """Return the store of that name: STORE_URL's, or one of FRESHLINE_STORES; one per process and URL.

    ``Unavailable`` when a project lives in a store that this process was not told of.
    """
    url = settings.STORE_URL if name == DEFAULT_STORE else settings.FRESHLINE_STORES.get(name)
    if url is None:
        raise Unavailable(
            "store_unavailable", f"store {name!r} has no address here: FRESHLINE_STORES does not name it"
        )
    return _open(url)


def is_feasts(name: str) -> bool:
    """Whether that store is only read: Feast writes it."""
    url = settings.STORE_URL if name == DEFAULT_STORE else settings.FRESHLINE_STORES.get(name, "")
    return is_read_only(url)


def refuse_read_only(name: str) -> None:
    """Raise ``Refused("store_read_only")`` for a store that is somebody else's."""
    if is_feasts(name):
        raise Refused("store_read_only", f"the store {name} is Feast's: Feast writes it, we only read")


def refuse_unpurged(record: ViewRecord) -> None:
    """Raise ``Unavailable("purge_pending")`` while rows of the view from earlier have not left its store.

    Nobody followed them: a watermark written now would vouch for rows whose keys are long gone.
    """
    if record.awaits_purge:
        raise Unavailable(
            "purge_pending",
            f"rows that {record.name} left in the store {record.store} earlier are still being removed; "
            "try again in a moment",
        )


def store_names() -> list[str]:
    """Return the name of every store that this process was told of, the default one first."""
    return [DEFAULT_STORE, *sorted(settings.FRESHLINE_STORES)]


def ensure_layout(store: Store, record: ViewRecord, layout: Layout) -> None:
    """Write the layout before the first row that uses it, once per process."""
    _write_layout(store, record.project, record.name, layout)  # hashed by identity


def forget_layouts() -> None:
    """Write every layout again when it is next used: a view's rows and layouts were purged."""
    _write_layout.cache_clear()


@lru_cache(maxsize=64)
def _open(url: str) -> Store:
    return open_store(url)


@lru_cache(maxsize=10_000)
def _write_layout(store: Store, project: str, view: str, layout: Layout) -> None:
    store.write_layout(project, view, layout)
