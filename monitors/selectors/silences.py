"""Silences as the caller may know of them, and what they hold back."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from monitors.domain.silences import covers
from monitors.models import Incident, Silence
from monitors.selectors.stored import silence_of


def silences_for(projects: Iterable[str] | None) -> QuerySet[Silence]:
    """Return the silences of the installation and of ``projects`` (None: all)."""
    rows = Silence.objects.all()
    return rows if projects is None else rows.filter(project__in=["", *projects])


def silences_at(at: datetime) -> list[Silence]:
    """Return the silences in force at ``at``."""
    return list(Silence.objects.filter(starts_at__lte=at, ends_at__gt=at))


def silence_on(rows: Iterable[Silence], incident: Incident, *, at: datetime) -> Silence | None:
    """Return which of ``rows`` holds the incident back the longest from ``at`` on, None when none does."""
    labels = labels_of(incident)
    found = [row for row in rows if covers(silence_of(row), labels, at=at)]
    return max(found, key=lambda row: row.ends_at, default=None)


def covered(row: Silence, incidents: Iterable[Incident], *, at: datetime) -> int:
    """Return how many of ``incidents`` the silence holds back at ``at``."""
    silence = silence_of(row)
    return sum(covers(silence, labels_of(incident), at=at) for incident in incidents)


def labels_of(incident: Incident) -> dict[str, str]:
    """Return the labels that silences match."""
    return {
        "tier": incident.tier,
        "owner": incident.owner,
        "project": incident.project,
        "view": incident.view,
        "kind": incident.kind,
        "severity": incident.severity,
    }
