"""Channels as the caller may know of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, QuerySet

from monitors.domain import routing
from monitors.domain.incidents import Severity
from monitors.domain.routing import EVERYONE, PURPOSES, ChannelKind, DefaultChannel, Purpose
from monitors.models import Channel, TeamChannel, ViewWatch


@dataclass(frozen=True, slots=True)
class ChannelUse:
    """A channel and whose default it is. ``is_mute``: it refuses every message, and none stands in for it."""

    name: str
    kind: ChannelKind
    project: str
    is_mute: bool
    teams: frozenset[str]


@dataclass(frozen=True, slots=True)
class Receiver:
    """A channel that hears of a team's incidents; a pager of the critical ones only."""

    name: str
    kind: ChannelKind
    only_critical: bool


def channels_for(projects: Iterable[str] | None) -> QuerySet[Channel]:
    """Return the channels of the installation and of ``projects`` (None: all)."""
    rows = Channel.objects.all()
    return rows if projects is None else rows.filter(project__in=["", *projects])


def team_channels(team: str, projects: Iterable[str] | None) -> list[Channel]:
    """Return the default channels of a team, by name."""
    return list(channels_for(projects).filter(teams__team=team).order_by("name"))


def channel_uses() -> list[ChannelUse]:
    """Return all channels with the teams that have them as default, by name, in one query."""
    found: dict[int, ChannelUse] = {}
    for row in Channel.objects.annotate(team=F("teams__team")).order_by("name"):
        known = found.get(row.pk)
        teams = (known.teams if known else frozenset()) | ({row.team} if row.team else set())
        is_mute = row.broken_at is not None and row.fallback_id is None
        found[row.pk] = ChannelUse(row.name, ChannelKind(row.kind), row.project, is_mute, teams)
    return list(found.values())


def receivers_of(team: str, project: str, uses: Iterable[ChannelUse]) -> list[Receiver]:
    """Return who hears of incidents of ``team`` in ``project``, by name: its channels, else everyone's."""
    usable = [use for use in uses if use.project in ("", project)]
    mine = [use for use in usable if team in use.teams] or [use for use in usable if EVERYONE in use.teams]
    return [Receiver(use.name, use.kind, PURPOSES[use.kind] is Purpose.PAGER) for use in mine]


def default_channels() -> list[DefaultChannel]:
    """Return every team's default channels."""
    rows = TeamChannel.objects.select_related("channel")
    return [
        DefaultChannel(row.channel_id, ChannelKind(row.channel.kind), row.team, row.channel.project)
        for row in rows
    ]


def unreached_views(projects: Iterable[str] | None, defaults: Iterable[DefaultChannel]) -> int:
    """Return how many watched views of ``projects`` (None: all) no channel would hear of, however bad."""
    rows = ViewWatch.objects.order_by().values("project", "owner").annotate(views=Count("pk"))
    if projects is not None:
        rows = rows.filter(project__in=list(projects))
    defaults = tuple(defaults)
    return sum(
        row["views"]
        for row in rows
        if not routing.recipients(
            defaults, owner=row["owner"], project=row["project"], severity=Severity.CRITICAL
        )
    )
