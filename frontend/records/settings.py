"""Settings: channels, tokens, the system; and the audit log."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class SentTest:
    """What the provider answered to a test message, and what to do about it."""

    channel: str
    ok: bool
    status: str
    took: timedelta | None
    advice: str
    payload: str


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel; its secrets are shown masked, as ``****1234``. ``project``: the only one served, or ""."""

    id: int
    name: str
    kind: str
    target: str
    used_by: tuple[str, ...]
    state: str
    last_delivery_at: datetime | None
    last_delivery: str
    fallback: str = ""
    project: str = ""
    may_edit: bool = False


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """A silence: what it matches, who set it, from when (None: already) until when."""

    id: int
    matches: str
    author: str
    reason: str
    ends_at: datetime
    matching_now: int
    starts_at: datetime | None = None
    may_end: bool = False


@dataclass(frozen=True, slots=True)
class ChannelsPage:
    """Channels, default channels of teams, silences; the form keeps what was typed except secrets.

    ``editing``: the channel that the form changes, None for a new one. ``projects``: those that a channel of
    this person may serve, empty for all there are; ``silenced_projects``: where they may silence.
    """

    channels: tuple[ChannelRow, ...]
    silences: tuple[SilenceRow, ...]
    unreachable_views: int
    form: tuple[tuple[str, str], ...] = ()
    errors: tuple[tuple[str, str], ...] = ()
    test: SentTest | None = None
    teams: tuple[str, ...] = ()
    may_administer: bool = False
    may_serve_all: bool = False
    projects: tuple[str, ...] = ()
    silenced_projects: tuple[str, ...] = ()
    editing: ChannelRow | None = None
    more_silences: bool = False

    @property
    def typed(self) -> dict[str, str]:
        """What was typed, by name of the field."""
        return dict(self.form)

    @property
    def wrong(self) -> dict[str, str]:
        """What is wrong, by name of the field."""
        return dict(self.errors)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token without its secret."""

    id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    projects: tuple[str, ...]
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_from: str = ""
    expired: bool = False


@dataclass(frozen=True, slots=True)
class TokensPage:
    """Tokens; ``secret`` is there once, directly after creation."""

    tokens: tuple[TokenRow, ...]
    scopes: tuple[str, ...]
    projects: tuple[str, ...]
    secret: str = ""
    secret_name: str = ""
    errors: tuple[tuple[str, str], ...] = ()

    @property
    def wrong(self) -> dict[str, str]:
        """What is wrong, by name of the field."""
        return dict(self.errors)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the installation: web, worker, beat, serving, database, broker, store, probes."""

    name: str
    state: str
    value: str
    note: str
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServingProcess:
    """One serving process and the bundle it has loaded; ``state``: current, behind or gone."""

    instance: str
    build: str
    bundle: int | None
    state: str
    seen_at: datetime
    refused: str = ""


@dataclass(frozen=True, slots=True)
class SystemPage:
    """How the installation itself is doing."""

    parts: tuple[Part, ...]
    serving: tuple[ServingProcess, ...]
    bundle: int | None
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what to what, when, from where; ``before`` and ``after`` are canonical JSON or empty."""

    at: datetime
    actor: str
    action: str
    project: str
    object: str
    address: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the audit log, newest first."""

    rows: tuple[AuditRow, ...]
    actor: str
    action: str
    after: str
