"""Who watches the watcher: whether monitoring itself is behind, in one sentence for every page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Subquery

from monitors.domain.words import plural, spell_age
from monitors.models import Channel, LoopBeat, Monitor, TeamChannel, ViewWatch
from monitors.selectors.health import overdue_monitors
from monitors.selectors.incidents import oldest_unsent, unsent_notifications

LOOPS = ("judge", "probe", "notify")
INTERVALS = 3
SHORTEST_PATIENCE = timedelta(seconds=15)
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
    signs = _signs()
    silent = {name: signs.seen.get(name) for name in LOOPS if _is_silent(signs.seen.get(name), now=now)}
    if not signs.has_views:
        silent = {}
    overdue, unsent = overdue_monitors(now=now), signs.oldest_unsent_at
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
class _Signs:
    seen: dict[str, datetime]
    has_views: bool
    oldest_unsent_at: datetime | None


def _signs() -> _Signs:
    """Read in one query what stands on every page, as long as any loop ever ran."""
    watched = Exists(ViewWatch.objects.all())
    oldest = Subquery(unsent_notifications().values("created_at")[:1])
    rows = LoopBeat.objects.annotate(has_views=watched, unsent=oldest)
    found = list(rows.values_list("name", "at", "has_views", "unsent"))
    if not found:
        return _Signs({}, ViewWatch.objects.exists(), oldest_unsent())
    return _Signs({name: at for name, at, _, _ in found}, found[0][2], found[0][3])


def _is_silent(at: datetime | None, *, now: datetime) -> bool:
    interval: timedelta = min(settings.FRESHLINE_MONITOR_INTERVAL, settings.FRESHLINE_PROBE_INTERVAL)
    return at is None or now - at >= max(SHORTEST_PATIENCE, INTERVALS * interval)


def channel_troubles() -> tuple[str, ...]:
    """Return, a sentence each, why alerts may reach nobody: channels that broke for good, or none in use."""
    used = Exists(TeamChannel.objects.filter(channel=OuterRef("pk")))
    rows = list(Channel.objects.annotate(used=used).order_by("name"))
    broken = [row.name for row in rows if row.broken_at is not None and row.fallback_id is None]
    troubles = [f"Channel {name} refuses every message and has no fallback." for name in broken]
    if not any(row.used for row in rows):
        troubles.append("No team has a channel: an incident would reach nobody.")
    return tuple(troubles)


def last_evaluation_at() -> datetime | None:
    """Return when a monitor was last evaluated, None before the first time."""
    newest = Monitor.objects.exclude(evaluated_at=None).order_by("-evaluated_at")
    return newest.values_list("evaluated_at", flat=True).first()


def _ago(at: datetime | None, *, now: datetime) -> str:
    return "never" if at is None else f"{spell_age((now - at).total_seconds())} ago"
