"""Connections to network sources. Their URLs go in and never come out."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope, address_of
from controlplane.kernel import clock
from controlplane.registry import selectors
from controlplane.registry.api import reading
from controlplane.registry.domain.connections import SCHEMES
from controlplane.registry.models import Connection
from controlplane.registry.services import connections
from controlplane.registry.services.applying import Author
from controlplane.rest.idempotency import idempotent
from controlplane.rest.pagination import paginate
from controlplane.rest.serialize import Body, instant, validated

_ADMIN = Access(Scope.ADMIN, Role.ADMIN, installation=True)


class ConnectionChange(Body):
    """Body of PATCH /connections/{id}."""

    url = serializers.CharField(max_length=2_000)
    hosts = serializers.ListField(
        child=serializers.CharField(max_length=253), required=False, default=list, max_length=50
    )


class ConnectionRequest(ConnectionChange):
    """Body of POST /connections."""

    name = serializers.CharField(max_length=63)
    kind = serializers.ChoiceField(sorted(SCHEMES))


class ConnectionsView(ApiView):
    """All connections."""

    access = {"GET": _ADMIN, "POST": _ADMIN}

    @extend_schema(
        operation_id="connections_list",
        summary="List connections, without their secrets",
        responses={200: dict},
    )
    def get(self, request: ApiRequest) -> Response:
        return paginate(request, selectors.connection_rows(), key="name", render=_connection)

    @extend_schema(
        summary="Make a connection; its url is sealed and never shown again",
        request=ConnectionRequest,
        responses={201: dict},
    )
    @idempotent
    def post(self, request: ApiRequest) -> Response:
        body = validated(ConnectionRequest, request)
        row = connections.create_connection(**body, author=_author(request), now=clock.now())
        return Response(_connection(row), status=201, headers=reading.etag(row.digest))


class ConnectionView(ApiView):
    """One connection."""

    access = {"GET": _ADMIN, "PATCH": _ADMIN, "DELETE": _ADMIN}

    @extend_schema(summary="One connection, without its secrets", responses={200: dict})
    def get(self, request: ApiRequest, connection_id: int) -> Response:
        row = selectors.find_connection(connection_id)
        return Response(_connection(row), headers=reading.etag(row.digest))

    @extend_schema(
        summary="Give a connection another url",
        request=ConnectionChange,
        parameters=[reading.IF_MATCH],
        responses={200: dict},
    )
    def patch(self, request: ApiRequest, connection_id: int) -> Response:
        body = validated(ConnectionChange, request)
        row = connections.change_connection(
            connection_id,
            **body,
            author=_author(request),
            now=clock.now(),
            digests=reading.read_expected(request).digests,
        )
        return Response(_connection(row), headers=reading.etag(row.digest))

    @extend_schema(summary="Delete a connection that no source names", responses={204: None})
    def delete(self, request: ApiRequest, connection_id: int) -> Response:
        connections.delete_connection(connection_id, author=_author(request), now=clock.now())
        return Response(status=204)


class ConnectionTestView(ApiView):
    """Trying a connection."""

    access = {"POST": _ADMIN}

    @extend_schema(summary="Contact what a redis connection leads to", request=None, responses={200: dict})
    def post(self, request: ApiRequest, connection_id: int) -> Response:
        tried = connections.try_connection(connection_id)
        return Response({"ok": tried.is_ok, "detail": tried.detail})


def _author(request: ApiRequest) -> Author:
    return Author(request.principal.name, address_of(request))


def _connection(row: Connection) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "address": row.address,
        "hosts": row.hosts,
        "created_at": instant(row.created_at),
        "changed_at": instant(row.changed_at),
    }


urlpatterns = [
    path("connections", ConnectionsView.as_view()),
    path("connections/<id:connection_id>", ConnectionView.as_view()),
    path("connections/<id:connection_id>/test", ConnectionTestView.as_view()),
]
