"""Definition files made of what other products keep."""

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Scope
from controlplane.registry.services.importing import import_feast
from controlplane.rest.parsers import TextParser


class FeastImportView(ApiView):
    """A registry file of Feast's, said as a definition file."""

    access = {"POST": Access(Scope.REGISTER)}
    makes_project = frozenset({"POST"})  # it says so, and makes none
    parser_classes = [TextParser]

    @extend_schema(
        summary="The definition file that says what a Feast registry file says, and what it cannot say",
        request={"application/x-protobuf": bytes},
        parameters=[
            OpenApiParameter(
                "feast_project", str, description="Project in the file; else its namesake, or the only one."
            ),
            OpenApiParameter(
                "store", str, description="Store of the project; one that Feast writes is read in place."
            ),
        ],
        responses={200: dict},
    )
    def post(self, request: ApiRequest, project: str) -> Response:
        data: object = request.data  # bytes, but an empty mapping when there is no body at all
        imported = import_feast(
            project,
            data if isinstance(data, bytes) else b"",
            feast_project=request.query_params.get("feast_project") or None,
            store=request.query_params.get("store") or None,
        )
        return Response(
            {
                "feast_project": imported.feast_project,
                "definition": imported.definition.to_document(),
                "not_carried_over": [remark.to_document() for remark in imported.left],
                "changed": [remark.to_document() for remark in imported.changed],
            }
        )


urlpatterns = [path("projects/<str:project>/import/feast", FeastImportView.as_view())]
