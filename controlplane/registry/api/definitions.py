"""Whole definition files: plan, apply, export."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope
from controlplane.kernel import clock
from controlplane.registry import selectors
from controlplane.registry.api import examples, reading, rendering
from controlplane.registry.services.applying import apply_definition
from controlplane.registry.services.planning import plan_definition
from controlplane.rest.idempotency import idempotent
from controlplane.rest.parsers import TextParser


class PlanView(ApiView):
    """What a definition file would change."""

    access = {"POST": Access(Scope.REGISTER)}
    makes_project = frozenset({"POST"})  # it says so, and makes none
    parser_classes = [TextParser]

    @extend_schema(
        summary="Say what applying a definition file would change, for whom and why; changes nothing",
        request=reading.DEFINITION_BODIES,
        parameters=[reading.RETIRE_ABSENT],
        responses={200: dict},
        examples=examples.PLAN,
    )
    def post(self, request: ApiRequest, project: str) -> Response:
        document = reading.read_document(request)
        retire_absent = reading.read_flag(request, "retire_absent")
        plan = plan_definition(project, document, now=clock.now(), retire_absent=retire_absent)
        return Response({"changes": rendering.plan_changes(plan), "digest": plan.digest})


class ApplyView(ApiView):
    """Making a definition file true."""

    access = {"POST": Access(Scope.REGISTER, Role.EDITOR)}
    makes_project = frozenset({"POST"})
    parser_classes = [TextParser]

    @extend_schema(
        summary="Apply a definition file: all of it or nothing. Makes the project if need be (scope admin)",
        request=reading.DEFINITION_BODIES,
        parameters=[
            reading.RETIRE_ABSENT,
            *reading.FORCE,
            OpenApiParameter("plan", str, description="Digest of the plan that was read: else 409."),
        ],
        responses={200: dict},
        examples=examples.APPLY,
    )
    @idempotent
    def post(self, request: ApiRequest, project: str) -> Response:
        done = apply_definition(
            project,
            reading.read_document(request),
            author=reading.read_author(request, project),
            now=clock.now(),
            retire_absent=reading.read_flag(request, "retire_absent"),
            conditions=reading.read_conditions(request),
        )
        return Response(rendering.applied(done))


class ExportView(ApiView):
    """The project as a definition file."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(summary="The definition file that gives this project", responses={200: dict})
    def get(self, request: ApiRequest, project: str) -> Response:
        document: dict[str, Any] = selectors.find_definition(project).to_document()
        return Response(document)


urlpatterns = [
    path("projects/<str:project>/plan", PlanView.as_view()),
    path("projects/<str:project>/apply", ApplyView.as_view()),
    path("projects/<str:project>/export", ExportView.as_view()),
]
