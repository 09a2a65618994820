"""Coming back after a pause: the replay goes on where the year is by now; nobody is paged for the pause."""

from datetime import UTC, datetime, timedelta

from controlplane.kernel import durations
from controlplane.project.demo.definition import PROJECT
from controlplane.project.demo.places import Places
from controlplane.project.demo.receiving import ACTOR
from monitors.services import silences

# As long as a busy machine takes to run everything once; what is still wrong then is told.
CATCHES_UP_IN = timedelta(minutes=2)
_UNNOTICED = timedelta(seconds=8)  # the replay shows that it lives every five


def away_for(places: Places, *, now: datetime) -> timedelta | None:
    """Return how long the replay stood still; None when it never ran, or so shortly that nobody noticed."""
    if not places.alive.exists():
        return None
    away = now - datetime.fromtimestamp(places.alive.stat().st_mtime, UTC)
    return away if away > _UNNOTICED else None


def mute_the_return(places: Places, *, now: datetime) -> str:
    """Silence the demo's project while it catches up; returns what to say of it, "" when there is nothing."""
    away = away_for(places, now=now)
    if away is None:
        return ""
    told = durations.render(timedelta(seconds=round(away.total_seconds())))
    silences.create_silence(
        matchers=[{"label": "project", "op": "=", "value": PROJECT}],
        starts_at=now,
        ends_at=now + CATCHES_UP_IN,
        reason=f"The demo was away for {told} and catches up.",
        actor=ACTOR,
        now=now,
    )
    return f"away for {told}; it catches up, and pages nobody for {durations.render(CATCHES_UP_IN)}"
