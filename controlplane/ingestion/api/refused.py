"""Refused rows by HTTP: what they were, why, and another try."""

from dataclasses import asdict
from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope, address_of
from controlplane.accounts.services import audit
from controlplane.ingestion import selectors
from controlplane.ingestion.models import RefusedRow
from controlplane.ingestion.services import redriving
from controlplane.kernel import clock
from controlplane.kernel.errors import Refused
from controlplane.rest.idempotency import idempotent
from controlplane.rest.pagination import paginate
from controlplane.rest.serialize import Body, IdField, instant, read_number, validated

_READ = Access(Scope.READ)


class RefusedRowsView(ApiView):
    """Rows that broke the contract."""

    access = {"GET": _READ}

    @extend_schema(
        operation_id="refused_rows_list",
        summary="Refused rows, the newest first; payloads need the scope lookup",
        parameters=[OpenApiParameter("view", str), OpenApiParameter("run", int)],
        responses={200: dict},
    )
    def get(self, request: ApiRequest, project: str) -> Response:
        shows = request.principal.may(Scope.LOOKUP, project)
        rows = selectors.refused_rows(
            None,
            project=project,
            view=request.query_params.get("view"),
            run_id=read_number(request, "run"),
        )
        return paginate(request, rows, key="-id", render=lambda row: _refused(row, shows_payload=shows))


class RedriveRequest(Body):
    """Body of POST redrive: some refused rows by id, or all of a view."""

    ids = serializers.ListField(child=IdField(), required=False, max_length=1_000)
    view = serializers.CharField(max_length=63, required=False)


class RedriveView(ApiView):
    """Another try of refused rows, after a fix."""

    access = {"POST": Access(Scope.OPERATE, Role.OPERATOR)}

    @extend_schema(
        summary="Send refused rows through their lane again", request=RedriveRequest, responses={200: dict}
    )
    @idempotent
    def post(self, request: ApiRequest, project: str) -> Response:
        body = validated(RedriveRequest, request)
        if ("ids" in body) == ("view" in body):
            raise Refused("bad_value", "name either ids or a view")
        now = clock.now()
        answer = redriving.redrive(project, ids=body.get("ids"), view=body.get("view"), now=now)
        audit.record(
            actor=request.principal.name,
            project=project,
            action="redrive",
            object_kind="refused_rows",
            object_name=body.get("view") or f"{len(body['ids'])} rows",
            after=asdict(answer),
            now=now,
            address=address_of(request),
        )
        return Response(asdict(answer))


def _refused(row: RefusedRow, *, shows_payload: bool) -> dict[str, Any]:
    return {
        "id": row.pk,
        "run": row.run_id,
        "view": row.view,
        "lane": row.lane,
        "position": row.position,
        "field": row.field,
        "code": row.code,
        "message": row.message if shows_payload else None,
        "payload": row.payload if shows_payload else None,
        "payload_cut": row.is_cut,
        "received_at": instant(row.received_at),
    }


urlpatterns = [
    path("projects/<str:project>/refused-rows", RefusedRowsView.as_view()),
    path("projects/<str:project>/refused-rows/redrive", RedriveView.as_view()),
]
