"""Projects."""

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope
from controlplane.kernel import clock
from controlplane.registry import selectors
from controlplane.registry.api import reading, rendering
from controlplane.registry.services.objects import create_project, retire_project
from controlplane.rest.pagination import paginate


class ProjectsView(ApiView):
    """The projects that the caller may know of."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(operation_id="projects_list", summary="List projects", responses={200: dict})
    def get(self, request: ApiRequest) -> Response:
        rows = selectors.project_rows()
        readable = request.principal.readable_projects()
        if readable is not None:
            rows = rows.filter(name__in=readable)
        return paginate(request, rows, key="name", render=rendering.project)


class ProjectView(ApiView):
    """One project."""

    access = {
        "GET": Access(Scope.READ),
        "PUT": Access(Scope.ADMIN, Role.ADMIN),
        "DELETE": Access(Scope.ADMIN, Role.ADMIN),
    }
    makes_project = frozenset({"PUT"})

    @extend_schema(summary="One project", responses={200: dict})
    def get(self, request: ApiRequest, project: str) -> Response:
        return Response(rendering.project(selectors.project_rows().get(name=project)))

    @extend_schema(summary="Make an empty project", request=None, responses={200: dict})
    def put(self, request: ApiRequest, project: str) -> Response:
        author = reading.read_author(request, project)
        return Response(rendering.applied(create_project(project, author=author, now=clock.now())))

    @extend_schema(summary="Retire a project in which nothing lives any more", responses={204: None})
    def delete(self, request: ApiRequest, project: str) -> Response:
        retire_project(project, author=reading.read_author(request, project), now=clock.now())
        return Response(status=204)


urlpatterns = [
    path("projects", ProjectsView.as_view()),
    path("projects/<str:project>", ProjectView.as_view()),
]
