"""Silences."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Scope, address_of
from controlplane.kernel import clock
from controlplane.rest.idempotency import idempotent
from controlplane.rest.pagination import paginate
from controlplane.rest.serialize import Body, WordsField, instant, validated
from monitors.api.guard import OPERATE, READ, require
from monitors.models import Silence
from monitors.selectors.silences import silences_for
from monitors.services import silences


class SilenceRequest(Body):
    """Body of POST /silences. ``starts_at`` absent: from now on."""

    matchers = serializers.ListField(child=serializers.DictField(), max_length=20)
    starts_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    ends_at = serializers.DateTimeField()
    reason = WordsField(max_length=500)


class SilencesView(ApiView):
    """The silences that the caller may know of."""

    access = {"GET": Access(Scope.READ), "POST": OPERATE}

    @extend_schema(operation_id="silences_list", summary="List silences, newest first", responses={200: dict})
    def get(self, request: ApiRequest) -> Response:
        rows = silences_for(request.principal.readable_projects())
        return paginate(request, rows, key="-id", render=render_silence)

    @extend_schema(
        summary="Silence what matches; without a matcher project = ... it needs an installation admin",
        request=SilenceRequest,
        responses={201: dict},
    )
    @idempotent
    def post(self, request: ApiRequest) -> Response:
        body = validated(SilenceRequest, request)
        now = clock.now()
        project = silences.project_of(body["matchers"])
        require(request.principal, OPERATE, project, what=f"project {project!r}")
        body["starts_at"] = body["starts_at"] or now
        row = silences.create_silence(
            **body, actor=request.principal.name, now=now, address=address_of(request)
        )
        return Response(render_silence(row), status=201)


class SilenceView(ApiView):
    """One silence."""

    access = {"GET": Access(Scope.READ), "DELETE": OPERATE}

    @extend_schema(summary="One silence", responses={200: dict})
    def get(self, request: ApiRequest, silence_id: int) -> Response:
        row = silences.find(silence_id)
        require(request.principal, READ, row.project, what=f"silence {silence_id}")
        return Response(render_silence(row))

    @extend_schema(summary="End a silence now", responses={204: None})
    def delete(self, request: ApiRequest, silence_id: int) -> Response:
        row = silences.find(silence_id)
        require(request.principal, OPERATE, row.project, what=f"silence {silence_id}")
        silences.end_silence(
            silence_id, actor=request.principal.name, now=clock.now(), address=address_of(request)
        )
        return Response(status=204)


def render_silence(row: Silence) -> dict[str, Any]:
    """Return a silence as JSON."""
    return {
        "id": row.pk,
        "project": row.project or None,
        "matchers": row.matchers,
        "starts_at": instant(row.starts_at),
        "ends_at": instant(row.ends_at),
        "reason": row.reason,
        "author": row.author,
        "created_at": instant(row.created_at),
    }


urlpatterns = [
    path("silences", SilencesView.as_view()),
    path("silences/<id:silence_id>", SilenceView.as_view()),
]
