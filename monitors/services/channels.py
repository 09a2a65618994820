"""Channels: making, editing and testing them, and making them a team's defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from controlplane.accounts import selectors as accounts
from controlplane.accounts.services import audit
from controlplane.kernel.errors import Conflict, NotFound, Refused
from monitors.channels.egress import Egress
from monitors.channels.kinds import CHANNELS, check_config, send
from monitors.domain.incidents import Severity
from monitors.domain.messages import Story
from monitors.domain.notifications import Action, Outcome
from monitors.domain.routing import EVERYONE, ChannelKind
from monitors.models import Channel, TeamChannel
from monitors.services import failover
from monitors.services.sealing import hint, sealed, unsealed_config

MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class TestResult:
    """What a test message came to. ``sent`` is the body without its secrets."""

    ok: bool
    reason: str
    elapsed_ms: int
    sent: dict[str, object]


def find(channel_id: int) -> Channel:
    """Return a channel; ``NotFound`` when there is none."""
    row = Channel.objects.select_related("fallback").filter(pk=channel_id).first()
    if row is None:
        raise NotFound("not_found", f"There is no channel {channel_id}, or you may not know of it.")
    return row


@transaction.atomic
def create_channel(
    *,
    name: str,
    kind: str,
    config: Mapping[str, object],
    fallback: int | None = None,
    project: str = "",
    actor: str,
    now: datetime,
    address: str = "",
) -> Channel:
    """Add a channel; its config is checked, sealed, and never shown again."""
    if not 0 < len(name.strip()) <= MAX_NAME:
        raise Refused("bad_value", f"name: write 1 to {MAX_NAME} characters")
    if kind not in set(ChannelKind):
        raise Refused("bad_value", f"kind is {kind!r}: write one of {', '.join(ChannelKind)}")
    if Channel.objects.filter(name=name.strip()).exists():
        raise Conflict("conflict", f"There is a channel {name!r} already.")
    checked = _checked(ChannelKind(kind), config)
    row = Channel.objects.create(
        name=name.strip(),
        project=project,
        kind=kind,
        sealed_config=sealed(name.strip(), checked),
        hint=hint(checked[CHANNELS[ChannelKind(kind)].hinted]),
        fallback=_fallback(fallback, project=project, me=None),
        created_at=now,
    )
    _audit(row, "create", actor=actor, now=now, address=address)
    return row


@transaction.atomic
def edit_channel(
    channel_id: int,
    *,
    config: Mapping[str, object] | None,
    fallback: int | None,
    actor: str,
    now: datetime,
    address: str = "",
) -> Channel:
    """Replace the config (None keeps it) and the fallback (None takes it away)."""
    row = find(channel_id)
    row.fallback = _fallback(fallback, project=row.project, me=row.pk)
    if config is not None:
        checked = _checked(ChannelKind(row.kind), config)
        row.sealed_config = sealed(row.name, checked)
        row.hint = hint(checked[CHANNELS[ChannelKind(row.kind)].hinted])
        row.broken_at = row.free_at = None
    row.save()
    _audit(row, "edit", actor=actor, now=now, address=address)
    return row


@transaction.atomic
def delete_channel(channel_id: int, *, actor: str, now: datetime, address: str = "") -> None:
    """Delete a channel with what waits on it."""
    row = find(channel_id)
    _audit(row, "delete", actor=actor, now=now, address=address)
    Channel.objects.filter(pk=row.pk).delete()


@transaction.atomic
def set_team_channels(
    team: str, channels: Sequence[int], *, actor: str, now: datetime, address: str = ""
) -> None:
    """Make ``channels`` the defaults of ``team`` (``*``: of every team that has none), and no others."""
    if team != EVERYONE and not accounts.team_exists(team):
        raise NotFound("not_found", f"There is no team {team!r}.")
    rows = [find(number) for number in dict.fromkeys(channels)]
    before = list(TeamChannel.objects.filter(team=team).values_list("channel__name", flat=True))
    TeamChannel.objects.filter(team=team).delete()
    TeamChannel.objects.bulk_create(TeamChannel(team=team, channel=row) for row in rows)
    audit.record(
        actor=actor,
        action="set_channels",
        object_kind="team",
        object_name=team,
        before={"channels": before},
        after={"channels": [row.name for row in rows]},
        now=now,
        address=address,
    )


@transaction.atomic
def set_channel_teams(
    channel_id: int, teams: Sequence[str], *, actor: str, now: datetime, address: str = ""
) -> None:
    """Make the channel a default of exactly ``teams``; of none, it is out of use: nothing new goes there."""
    row = find(channel_id)
    wanted = sorted(set(teams))
    for team in wanted:
        if team != EVERYONE and not accounts.team_exists(team):
            raise NotFound("not_found", f"There is no team {team!r}.")
    defaults = TeamChannel.objects.filter(channel=row)
    before = sorted(defaults.values_list("team", flat=True))
    if before == wanted:
        return
    defaults.delete()
    TeamChannel.objects.bulk_create(TeamChannel(team=team, channel=row) for team in wanted)
    audit.record(
        actor=actor,
        project=row.project,
        action="set_teams",
        object_kind="channel",
        object_name=row.name,
        before={"teams": before},
        after={"teams": wanted},
        now=now,
        address=address,
    )


def test_channel(channel_id: int, *, now: datetime, egress: Egress | None = None) -> TestResult:
    """Send a message that says it is a test (PagerDuty: and its resolve); tells what came back."""
    row = find(channel_id)
    kind, config = ChannelKind(row.kind), unsealed_config(row)
    way_out = egress or Egress(allowed_hosts=settings.FRESHLINE_EGRESS_ALLOW)
    body = CHANNELS[kind].render(_test_story(row, Action.TRIGGER, now=now), False)
    tried = send(kind, config, body, egress=way_out)
    ok = tried.answer.outcome is Outcome.SENT
    if ok:
        if kind is ChannelKind.PAGERDUTY:
            resolve = CHANNELS[kind].render(_test_story(row, Action.RESOLVE, now=now), False)
            send(kind, config, resolve, egress=way_out)
        Channel.objects.filter(pk=row.pk).update(broken_at=None, last_error="", last_sent_at=now)
        failover.mend(row, now=now)
    else:
        Channel.objects.filter(pk=row.pk).update(last_error=tried.answer.reason[:300])
    return TestResult(ok, tried.answer.reason, int(tried.elapsed.total_seconds() * 1_000), body)


def _test_story(row: Channel, action: Action, *, now: datetime) -> Story:
    return Story(
        number=0,
        dedup_key=f"freshline-test-{row.pk}-{int(now.timestamp())}",
        action=action,
        project=row.project or "freshline",
        view="",
        subject=f"channel {row.name}",
        kind="test",
        word="being tested",
        severity=Severity.INFO,
        owner="",
        how_bad="This is a test message: nothing is wrong.",
        opened_at=now,
        now=now,
        link=settings.FRESHLINE_PUBLIC_URL,
        note="test",
    )


def _checked(kind: ChannelKind, config: Mapping[str, object]) -> Mapping[str, str]:
    return check_config(kind, config, allowed_hosts=settings.FRESHLINE_EGRESS_ALLOW)


def _fallback(channel_id: int | None, *, project: str, me: int | None) -> Channel | None:
    if channel_id is None:
        return None
    found = find(channel_id)
    if found.pk == me or found.project not in ("", project):
        raise Refused("bad_value", "fallback: name another channel that serves the same project")
    return found


def _audit(row: Channel, action: str, *, actor: str, now: datetime, address: str) -> None:
    audit.record(
        actor=actor,
        project=row.project,
        action=action,
        object_kind="channel",
        object_name=row.name,
        after=None if action == "delete" else {"kind": row.kind, "hint": row.hint},
        now=now,
        address=address,
    )
