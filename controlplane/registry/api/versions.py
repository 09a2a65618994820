"""Versions of a view's contract; they outlive the view."""

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Scope
from controlplane.registry import selectors
from controlplane.registry.api import rendering
from controlplane.registry.domain.diffs import diff


class VersionsView(ApiView):
    """Every contract that the view ever had."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(
        operation_id="versions_list",
        summary="Contract versions of a view, the newest first",
        responses={200: dict},
    )
    def get(self, request: ApiRequest, project: str, view: str) -> Response:
        items = [rendering.contract(record) for record in selectors.list_contracts(project, view)]
        return Response({"items": items, "next": None})


class VersionView(ApiView):
    """One contract."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(summary="One contract version of a view", responses={200: dict})
    def get(self, request: ApiRequest, project: str, view: str, number: int) -> Response:
        return Response(rendering.contract(selectors.find_contract(project, view, number)))


class DiffView(ApiView):
    """Two contracts side by side."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(summary="What differs between two contract versions", responses={200: dict})
    def get(self, request: ApiRequest, project: str, view: str, number: int, other: int) -> Response:
        before = selectors.find_contract(project, view, number)
        after = selectors.find_contract(project, view, other)
        found = [rendering.difference(each) for each in diff(before.document, after.document)]
        return Response({"before": number, "after": other, "differences": found})


_VIEW = "projects/<str:project>/feature-views/<str:view>"
urlpatterns = [
    path(f"{_VIEW}/versions", VersionsView.as_view()),
    path(f"{_VIEW}/versions/<id:number>", VersionView.as_view()),
    path(f"{_VIEW}/versions/<id:number>/diff/<id:other>", DiffView.as_view()),
]
