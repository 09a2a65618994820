"""The search of the palette, by HTTP like everything else."""

from dataclasses import asdict

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Scope
from controlplane.kernel import clock
from controlplane.rest.serialize import read_number
from frontend.readers.search import read_search

MOST, USUAL = 50, 8
_LONGEST = 200


class SearchView(ApiView):
    """Everything that is called so, as far as the caller may know of it."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(
        summary="Search views, features, services, incidents and owners",
        parameters=[
            OpenApiParameter("q", str, required=True, description="part of a name, or INC-142"),
            OpenApiParameter("limit", int, description="of each section, 1 to 50, default 8"),
        ],
        responses={200: dict},
    )
    def get(self, request: ApiRequest) -> Response:
        found = read_search(
            request.query_params.get("q", "")[:_LONGEST],
            projects=request.principal.readable_projects(),
            limit=read_number(request, "limit", least=1, most=MOST) or USUAL,
            now=clock.now(),
        )
        answer = Response({"items": [asdict(each) for each in found]})
        answer["Cache-Control"] = "private, no-store"
        return answer


urlpatterns = [path("search", SearchView.as_view())]
