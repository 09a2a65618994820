"""Channels as the caller may know of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from monitors.domain import routing
from monitors.domain.incidents import Severity
from monitors.domain.routing import EVERYONE, PURPOSES, ChannelKind, DefaultChannel, Purpose
from monitors.models import Channel, TeamChannel, ViewWatch


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


def receivers_of(team: str, project: str) -> list[Receiver]:
    """Return who hears of incidents of ``team`` in ``project``, by name: its channels, else everyone's."""
    found = TeamChannel.objects.filter(team__in=[team, EVERYONE], channel__project__in=["", project])
    rows = list(found.select_related("channel").order_by("channel__name"))
    mine = [row for row in rows if row.team == team] or rows
    kinds = [(row.channel.name, ChannelKind(row.channel.kind)) for row in mine]
    return [Receiver(name, kind, PURPOSES[kind] is Purpose.PAGER) for name, kind in kinds]


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
