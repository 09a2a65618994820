"""Incidents: the inbox, and the page every message links to."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the last message went and how that ended, in the words of ``states.MESSAGES``."""

    channel: str
    state: str


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident in the inbox."""

    number: int
    title: str
    severity: str
    state: str
    opened_at: datetime
    resolved_at: datetime | None
    cause: str
    views: int
    consumers: int | None
    owner: str
    acknowledged_by: str = ""
    silenced_until: datetime | None = None
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class InboxPage:
    """One tab of the inbox. ``monitored`` and ``last_probe_at`` prove that silence is real; ``behind`` says
    that it is not. ``severity`` and ``owner`` are what the list is narrowed to, "" for everything.
    """

    project: str
    tab: str
    counts: tuple[tuple[str, int], ...]
    rows: tuple[IncidentRow, ...]
    monitored: int
    last_probe_at: datetime | None
    after: str = ""
    severity: str = ""
    owner: str = ""
    owners: tuple[str, ...] = ()
    behind: bool = False

    @property
    def narrowed(self) -> bool:
        """Whether something is left out by choice."""
        return bool(self.severity or self.owner)


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One step from cause to symptom. ``state`` is "" where only the past is known."""

    node: str
    kind: str
    name: str
    state: str
    detail: str
    at: datetime | None
    address: str
    is_cause: bool = False


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another possible cause, and why it is not the first choice."""

    name: str
    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who is hit: a feature service or a model."""

    name: str
    kind: str
    lookups_per_minute: float | None
    share: float | None
    owner: str


@dataclass(frozen=True, slots=True)
class AffectedView:
    """A view of this incident."""

    view: str
    state: str
    age: timedelta | None
    limit: timedelta | None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened: kind is opened, value, notification, acknowledged, note, resolved, ..."""

    at: datetime
    kind: str
    text: str
    actor: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one channel: what it told (opened, acknowledged, ...), and how that ended."""

    channel: str
    action: str
    state: str
    at: datetime
    attempts: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One incident with its cause above the fold.

    ``summary``: how bad, measured. ``scope``: what a silence from here holds back. ``prepared``: the action
    that a message's button led to. ``left_out``: the timeline does not show older entries.
    ``more_views``: how many further views are affected.
    """

    project: str
    number: int
    title: str
    severity: str
    state: str
    health: str
    kind: str
    view: str
    node: str
    opened_at: datetime
    resolved_at: datetime | None
    chain: tuple[ChainStep, ...]
    confidence: str
    reason: str
    alternatives: tuple[Alternative, ...]
    consumers: tuple[Consumer, ...]
    views: tuple[AffectedView, ...]
    timeline: tuple[TimelineEntry, ...]
    runbook: str
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    silenced_until: datetime | None = None
    silenced_reason: str = ""
    parent: int | None = None
    children: tuple[int, ...] = ()
    may_operate: bool = False
    summary: str = ""
    owner: str = ""
    resolution: str = ""
    messages: tuple[Message, ...] = ()
    scope: str = ""
    prepared: str = ""
    left_out: bool = False
    more_views: int = 0

    @property
    def is_open(self) -> bool:
        """Whether somebody may still have to do something."""
        return self.state != "resolved"
