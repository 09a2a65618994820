"""The lookup playground: one lookup through serving, explained value by value."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from frontend.records.view import Snippet


@dataclass(frozen=True, slots=True)
class Choice:
    """A view or a feature service that can be looked up, with its join keys and features."""

    value: str
    label: str
    join_keys: tuple[str, ...]
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One value of the answer. ``action`` is what serving did: serve, null, default or reject."""

    feature: str
    value: str
    dtype: str
    event_time: datetime | None
    age: timedelta | None
    limit: timedelta | None
    verdict: str
    action: str
    reason: str


@dataclass(frozen=True, slots=True)
class EntityResult:
    """The answer for one entity."""

    key: str
    rejected: bool
    values: tuple[ValueRow, ...]


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The answer of serving, with its time."""

    entities: tuple[EntityResult, ...]
    took: timedelta | None
    contract: int | None
    bundle: int | None
    snippets: tuple[Snippet, ...]


@dataclass(frozen=True, slots=True)
class PlaygroundPage:
    """The form, what was filled in, and the answer or what went wrong."""

    project: str
    choices: tuple[Choice, ...]
    target: str
    features: tuple[str, ...]
    keys: str
    recent_keys: tuple[str, ...]
    result: LookupResult | None = None
    error: str = ""
    field_errors: tuple[tuple[str, str], ...] = ()
    may_lookup: bool = True

    @property
    def chosen(self) -> Choice | None:
        """The choice whose join keys and features the form offers."""
        return next((each for each in self.choices if each.value == self.target), None)

    @property
    def wrong(self) -> dict[str, str]:
        """What is wrong, by name of the field."""
        return dict(self.field_errors)
