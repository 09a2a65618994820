"""Direct rows and heartbeats by HTTP."""

from dataclasses import asdict
from functools import partial
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope
from controlplane.ingestion.api import examples
from controlplane.ingestion.services import direct, heartbeats
from controlplane.kernel import clock
from controlplane.rest.idempotency import idempotent, when_answered
from controlplane.rest.parsers import AnyTextJsonParser
from controlplane.rest.serialize import validated

_INGEST = Access(Scope.INGEST, Role.OPERATOR)


class RowsRequest(serializers.Serializer[Any]):
    """Body of POST rows; each row is checked by itself."""

    rows = serializers.ListField(child=serializers.JSONField(), required=False, default=list)
    deletes = serializers.ListField(child=serializers.JSONField(), required=False, default=list)


class RowsView(ApiView):
    """Rows of the direct lane."""

    access = {"POST": _INGEST}
    parser_classes = [AnyTextJsonParser]  # each row is answered for

    @extend_schema(
        summary="Write rows and deletes; each is answered for",
        request=RowsRequest,
        responses={200: dict},
        examples=examples.ROWS,
    )
    @idempotent
    def post(self, request: ApiRequest, project: str, view: str) -> Response:
        body = validated(RowsRequest, request)
        now = clock.now()
        answer = direct.write_rows(
            project,
            view,
            rows=body["rows"],
            deletes=body["deletes"],
            received_at=getattr(request, "received_at", now),
            now=now,
            at_the_end=partial(when_answered, request),
        )
        refused = [asdict(result) for result in answer.refused]
        counts = {"written": answer.written, "older": answer.older, "unchanged": answer.unchanged}
        return Response({**counts, "refused": refused})


class HeartbeatRequest(serializers.Serializer[Any]):
    """Body of POST heartbeat."""

    as_of = serializers.DateTimeField()
    writer = serializers.CharField(max_length=100)


class HeartbeatView(ApiView):
    """A writer's word that it has posted everything."""

    access = {"POST": _INGEST}

    @extend_schema(
        summary="Say until when everything is posted",
        request=HeartbeatRequest,
        responses={204: None},
        examples=examples.HEARTBEAT,
    )
    def post(self, request: ApiRequest, project: str, view: str) -> Response:
        body = validated(HeartbeatRequest, request)
        heartbeats.record_heartbeat(
            project, view, writer=body["writer"], as_of=body["as_of"], now=clock.now()
        )
        return Response(status=204)


_VIEW = "projects/<str:project>/feature-views/<str:view>"
urlpatterns = [
    path(f"{_VIEW}/rows", RowsView.as_view()),
    path(f"{_VIEW}/heartbeat", HeartbeatView.as_view()),
]
