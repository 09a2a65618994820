"""The lock under which incidents of one project change."""

from monitors.models import ProjectLock


def lock_project(project: str) -> None:
    """Hold the project's incidents until the surrounding transaction ends."""
    ProjectLock.objects.get_or_create(project=project)
    ProjectLock.objects.select_for_update().get(project=project)
