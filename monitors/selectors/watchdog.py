"""Who watches the watcher: whether monitoring itself is behind, in one sentence for every page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, JSONField, Subquery, Value

from monitors.domain.words import plural, spell_age
from monitors.models import LoopBeat, Monitor, ViewWatch
from monitors.selectors.channels import ChannelUse, channel_uses
from monitors.selectors.health import is_monitor_overdue, monitors_due
from monitors.selectors.incidents import oldest_unsent, unsent_notifications

LOOPS = ("judge", "probe", "notify")
INTERVALS = 3
SHORTEST_PATIENCE = timedelta(seconds=15)
_MOST_SIGNS = 1_000  # of more monitors that are due it is enough to know that they are many
UNSENT_PATIENCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Behind:
    """Whether monitoring is behind. ``sentence`` is "" when it is not.

    ``silent_loops``: each loop that did not go round lately, with its last time (None: never).
    """

    is_behind: bool
    sentence: str
    silent_loops: dict[str, datetime | None]
    overdue_monitors: int
    oldest_unsent_at: datetime | None


def monitoring_behind(*, now: datetime) -> Behind:
    """Return how far monitoring is behind at ``now``. With nothing to watch it is never behind."""
    signs = _signs(now=now)
    silent = {name: signs.seen.get(name) for name in LOOPS if _is_silent(signs.seen.get(name), now=now)}
    if not signs.has_views:
        silent = {}
    overdue, unsent = signs.overdue_monitors, signs.oldest_unsent_at
    reasons = [f"{name} loop last ran {_ago(at, now=now)}" for name, at in silent.items()]
    if overdue:
        reasons.append(f"{plural(overdue, 'monitor')} overdue")
    if unsent is not None and now - unsent >= UNSENT_PATIENCE:
        reasons.append(f"a notification waits since {_ago(unsent, now=now)}")
    sentence = f"Monitoring itself is behind: {'; '.join(reasons)}." if reasons else ""
    return Behind(
        is_behind=bool(reasons),
        sentence=sentence,
        silent_loops=silent,
        overdue_monitors=overdue,
        oldest_unsent_at=unsent,
    )


@dataclass(frozen=True, slots=True)
class Round:
    """A loop of monitoring: when it last went round (None: never), and whether that is too long ago."""

    loop: str
    at: datetime | None
    is_silent: bool


def rounds(*, now: datetime) -> tuple[Round, ...]:
    """Return every loop's last round."""
    seen = dict(LoopBeat.objects.values_list("name", "at"))
    return tuple(Round(name, seen.get(name), _is_silent(seen.get(name), now=now)) for name in LOOPS)


@dataclass(frozen=True, slots=True)
class _Signs:
    seen: dict[str, datetime]
    has_views: bool
    oldest_unsent_at: datetime | None
    overdue_monitors: int


def _signs(*, now: datetime) -> _Signs:
    """Read in one query what stands on every page, as long as any loop ever ran.

    The rows of loops and those of monitors that are due come under each other: (loop, its time, whether any
    view is watched, the oldest unsent message) and ("", ...), then (kind, config, evaluated, made).
    """
    beats = LoopBeat.objects.annotate(
        has_views=Exists(ViewWatch.objects.all()),
        unsent=Subquery(unsent_notifications().values("created_at")[:1]),
        kind=Value(""),
        config=Value({}, output_field=JSONField()),
    ).values_list("name", "at", "has_views", "unsent", "kind", "config")
    due = monitors_due(now=now).annotate(
        name=Value(""),
        at=F("created_at"),
        has_views=Value(True),
        unsent=F("evaluated_at"),
    )
    rows = due.values_list("name", "at", "has_views", "unsent", "kind", "config")
    found = list(beats.union(rows, all=True).order_by("-name")[:_MOST_SIGNS])
    loops = {name: (at, has_views, unsent) for name, at, has_views, unsent, _, _ in found if name}
    overdue = sum(
        is_monitor_overdue(kind, config, evaluated or made, now=now)
        for name, made, _, evaluated, kind, config in found
        if not name
    )
    if not loops:
        return _Signs({}, ViewWatch.objects.exists(), oldest_unsent(), overdue)
    _, has_views, unsent = next(iter(loops.values()))
    return _Signs({name: at for name, (at, _, _) in loops.items()}, has_views, unsent, overdue)


def _is_silent(at: datetime | None, *, now: datetime) -> bool:
    interval: timedelta = min(settings.FRESHLINE_MONITOR_INTERVAL, settings.FRESHLINE_PROBE_INTERVAL)
    return at is None or now - at >= max(SHORTEST_PATIENCE, INTERVALS * interval)


def channel_troubles() -> tuple[str, ...]:
    """Return, a sentence each, why alerts may reach nobody: channels that broke for good, or none in use."""
    return troubles_of(channel_uses())


def troubles_of(uses: Collection[ChannelUse]) -> tuple[str, ...]:
    """Return the same for channels that were read already."""
    troubles = [
        f"Channel {use.name} refuses every message and has no fallback." for use in uses if use.is_mute
    ]
    if not any(use.teams for use in uses):
        troubles.append("No team has a channel: an incident would reach nobody.")
    return tuple(troubles)


def last_evaluation_at() -> datetime | None:
    """Return when a monitor was last evaluated, None before the first time."""
    newest = Monitor.objects.exclude(evaluated_at=None).order_by("-evaluated_at")
    return newest.values_list("evaluated_at", flat=True).first()


def _ago(at: datetime | None, *, now: datetime) -> str:
    return "never" if at is None else f"{spell_age((now - at).total_seconds())} ago"
