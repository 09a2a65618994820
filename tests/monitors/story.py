"""One story for tests of monitors: the delays team's views go stale, the delays team is told."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from monitors.domain.folding import Cause, CauseKind, Confidence
from monitors.domain.states import Change, State
from monitors.models import Channel, Incident, Monitor, TeamChannel, ViewWatch
from monitors.services import channels, closing
from monitors.services.locks import lock_project
from monitors.services.opening import Breach, record_breach
from tests.receivers import PAGERDUTY, SLACK

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)


def watch(view="carrier_delays", *, project="flights", owner="delays", tier="gold"):
    """A watched view, without the registry."""
    return ViewWatch.objects.get_or_create(
        project=project,
        view=view,
        defaults={
            "owner": owner,
            "tier": tier,
            "runbook": "https://wiki.example/runbook",
            "signature": "-",
            "registered_at": NOON,
            "written_at": NOON,
            "probe_interval_us": 30_000_000,
            "probe_due_at": NOON,
        },
    )[0]


def monitor(view="carrier_delays", *, kind="served_age", state=State.OK, **changes):
    """A monitor of a watched view, standing at ``state``."""
    of = watch(view, **{name: changes.pop(name) for name in ("project", "owner", "tier") if name in changes})
    config = {"limit": "45m", "interval": "30s"} if kind == "served_age" else {"interval": "30s"}
    fields = {
        "project": of.project,
        "view": of.view,
        "config": config,
        "created_at": NOON,
        "due_at": NOON,
        "state": state,
        "level": state,
        "since": NOON,
        "last_at": NOON,
    }
    row, _ = Monitor.objects.get_or_create(watch=of, kind=kind, defaults=fields | changes)
    return row


def cause(
    node="job:etl|refine", *, hops=2, confidence=Confidence.HIGH, run="run-7", reason="disk full", path=()
):
    return Cause(node, CauseKind.FAILED_RUN, run, reason, confidence, NOON - MINUTE, hops, path)


def breach(view="carrier_delays", *, now=NOON, causes=(), reason="age 50 min, max 45 min, 1.1x", **changes):
    """The view's monitor goes into breach; returns the incident that carries it."""
    row = monitor(view, **changes)
    Monitor.objects.filter(pk=row.pk).update(state=State.BREACH, level=State.BREACH, since=now)
    row.refresh_from_db()
    change = Change(State.OK, State.BREACH, now, 60.0, reason)
    with transaction.atomic():
        lock_project(row.project)
        return record_breach(Breach(row, change, list(causes), now - 50 * MINUTE), now=now)


def recover(incident, *, now):
    """Every monitor of the incident is ok; returns what resolved."""
    Monitor.objects.filter(evidence__incident=incident).update(
        state=State.OK, level=State.OK, since=now - 10 * MINUTE
    )
    with transaction.atomic():
        lock_project(incident.project)
        return closing.settle([Incident.objects.get(pk=incident.pk)], now=now)


def slack(url="https://hooks.example", *, name="chat", team="delays", fallback=None):
    return _channel(name, "slack_webhook", {"url": f"{url}{SLACK}"}, team, fallback)


def pagerduty(url="https://events.example", *, name="pager", team="delays", fallback=None):
    return _channel(
        name, "pagerduty", {"routing_key": "R0UT1NGKEY", "url": f"{url}{PAGERDUTY}"}, team, fallback
    )


def _channel(name, kind, config, team, fallback):
    row = channels.create_channel(
        name=name, kind=kind, config=config, fallback=fallback and fallback.pk, actor="ada", now=NOON
    )
    if team:
        TeamChannel.objects.create(team=team, channel=row)
    return Channel.objects.get(pk=row.pk)
