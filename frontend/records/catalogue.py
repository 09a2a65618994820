"""The catalogue: every feature view, or every feature, found by part of a name."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ViewRow:
    """A feature view in the list."""

    view: str
    state: str
    description: str
    entities: tuple[str, ...]
    owner: str
    age: timedelta | None
    limit: timedelta | None
    lanes: tuple[str, ...]
    tags: tuple[str, ...]
    features: int
    lookups_per_minute: float | None
    consumers: int | None
    last_run_state: str = ""
    last_run_at: datetime | None = None
    silenced_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """A feature in the list."""

    view: str
    feature: str
    dtype: str
    state: str
    description: str
    owner: str


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """One page of the list. ``after`` is the cursor of the next page, empty on the last."""

    project: str
    query: str
    kind: str
    state: str
    owner: str
    sort: str
    total: int
    first: int
    after: str
    views: tuple[ViewRow, ...] = ()
    features: tuple[FeatureRow, ...] = ()
    did_you_mean: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    exists: bool = True

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return self.first + len(self.views) + len(self.features) - 1
