"""What is live, as querysets: to be filtered, counted and paged."""

from django.db.models import QuerySet

from controlplane.registry.models import Connection, Entity, FeatureService, FeatureView, Project
from controlplane.registry.models import Source as SourceRow


def project_rows() -> QuerySet[Project]:
    """The live projects, to be filtered and paged."""
    return Project.objects.filter(retired_at=None)


def connection_rows() -> QuerySet[Connection]:
    """All connections, to be paged."""
    return Connection.objects.all()


def _live(rows: QuerySet, project: str | None) -> QuerySet:  # type: ignore[type-arg]
    live = rows.filter(retired_at=None)
    return live if project is None else live.filter(project__name=project)


def view_rows(project: str | None) -> QuerySet[FeatureView]:
    """The live views of a project, or of all, to be filtered and paged."""
    return _live(FeatureView.objects.select_related("project"), project)


def service_rows(project: str | None) -> QuerySet[FeatureService]:
    """The live feature services of a project, or of all, to be filtered and paged."""
    return _live(FeatureService.objects.select_related("project"), project)


def source_rows(project: str) -> QuerySet[SourceRow]:
    """The live sources of a project, to be filtered and paged."""
    return _live(SourceRow.objects.all(), project)


def entity_rows(project: str) -> QuerySet[Entity]:
    """The live entities of a project, to be filtered and paged."""
    return _live(Entity.objects.all(), project)
