"""What the registry tells other packages: plain records, parsed and whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.contracts.model import FeatureService, FeatureView, JoinKey
from store_adapters import Layout

# Three of the reports that a serving process makes a minute apart (serving/internal/bundle/acknowledge.go).
GONE_AFTER = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class ProjectRecord:
    name: str
    created_at: datetime
    created_by: str
    changed_at: datetime
    store: str


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """A live feature service."""

    id: int
    project: str
    name: str
    service: FeatureService
    created_at: datetime
    changed_at: datetime

    def features_of(self, view: str) -> list[str]:
        """Return the features of ``view`` that this service names, in its order."""
        return [ref.feature for ref in self.service.features if ref.view == view]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSummary:
    """A live feature view with its contract in force, as far as people read it.

    ``readers`` are the services that name any of its features; ``store`` names the one that holds its rows.
    """

    id: int
    project: str
    store: str
    name: str
    contract_number: int
    view: FeatureView
    readers: tuple[ServiceRecord, ...]
    created_at: datetime
    changed_at: datetime
    paused: bool

    @property
    def strictest_max_age(self) -> timedelta:
        """The shortest max age that the view or any reader demands."""
        return min(self._max_ages())

    @property
    def strictest_warn_after(self) -> timedelta:
        """The age at which the first of them should hear of it: the view's warning, or a shorter max age."""
        return min([*self._max_ages(), self.view.terms.warn_after or self.view.terms.max_age])

    def _max_ages(self) -> list[timedelta]:
        terms = self.view.terms
        return [terms.max_age, *(terms.under(reader.service.terms).max_age for reader in self.readers)]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedView(ViewSummary):
    """The same with the join keys of all its entities, sorted by name (the order of key bytes)."""

    join_keys: tuple[JoinKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRecord(KeyedView):
    """A live feature view with everything that rows of it are written and read by: ``layouts`` holds every
    layout that rows may still be stored under, by number."""

    layout: Layout
    layouts: Mapping[int, Layout]
    awaits_purge: bool  # rows from earlier have not left its store yet: nothing may be written there


@dataclass(frozen=True, slots=True)
class FoundView:
    """A live view that a search found, without what belongs to it."""

    project: str
    name: str
    view: FeatureView


@dataclass(frozen=True, slots=True)
class FoundService:
    """A live feature service that a search found; ``model`` empty: it names none."""

    project: str
    name: str
    model: str


@dataclass(frozen=True, slots=True)
class ContractRecord:
    """One version of a view's contract; ``document`` as ``contract_document`` makes it."""

    number: int
    layout_number: int
    document: Mapping[str, object]
    digest: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class BundleRecord:
    """A bundle as serving gets it: ``digest`` is the SHA-256 of ``body`` in hex."""

    number: int
    digest: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PurgeDue:
    """A view whose rows must leave a store: it has retired, or (``is_live``) it came to a store that may hold
    some from earlier."""

    view_id: int
    project: str
    store: str
    name: str
    due_at: datetime
    is_live: bool


@dataclass(frozen=True, slots=True)
class ServingInstance:
    """A serving process and the bundle that it runs; ``refused_*``: the one that it would not take."""

    instance: str
    bundle_number: int
    bundle_digest: str
    loaded_at: datetime
    heard_at: datetime
    build: str
    refused_digest: str
    refused_reason: str

    def is_gone(self, *, now: datetime) -> bool:
        """Whether it has ended, or cannot reach us: it speaks every minute, whatever bundle it runs."""
        return now - self.heard_at > GONE_AFTER
