"""The second gate in front of every API view: the project in the address is there."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from controlplane.kernel.errors import NotFound
from controlplane.registry import selectors


class ProjectPermission(BasePermission):
    """Answers for a project that does not exist in the words of one that the caller may not know.

    Comes after the gate of access, which an administrator of the installation passes for any name at all.
    A view names in ``makes_project`` the methods that may be about a project to come.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        project = view.kwargs.get("project")
        if project is None or request.method in getattr(view, "makes_project", ()):
            return True
        if not selectors.project_exists(project):
            raise NotFound("not_found", f"There is no project {project!r}, or you may not know of it.")
        return True
