"""Channels as the caller may know of them."""

from collections.abc import Iterable

from django.db.models import QuerySet

from monitors.models import Channel


def channels_for(projects: Iterable[str] | None) -> QuerySet[Channel]:
    """Return the channels of the installation and of ``projects`` (None: all)."""
    rows = Channel.objects.all()
    return rows if projects is None else rows.filter(project__in=["", *projects])


def team_channels(team: str, projects: Iterable[str] | None) -> list[Channel]:
    """Return the default channels of a team, by name."""
    return list(channels_for(projects).filter(teams__team=team).order_by("name"))
