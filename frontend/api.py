"""The search of the palette, by HTTP like everything else."""

from dataclasses import asdict

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Scope
from controlplane.kernel import clock
from controlplane.kernel.errors import Refused
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
        limit = request.query_params.get("limit", str(USUAL))
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= MOST):
            raise Refused("bad_value", f"limit is {limit[:20]!r}: write a number from 1 to {MOST}")
        found = read_search(
            request.query_params.get("q", "")[:_LONGEST],
            projects=request.principal.readable_projects(),
            limit=int(limit),
            now=clock.now(),
        )
        answer = Response({"items": [asdict(each) for each in found]})
        answer["Cache-Control"] = "private, no-store"
        return answer


urlpatterns = [path("search", SearchView.as_view())]
