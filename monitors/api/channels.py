"""Channels and teams' default channels. Secrets go in and never come out."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope, address_of
from controlplane.kernel import clock
from controlplane.rest.idempotency import idempotent
from controlplane.rest.pagination import paginate
from controlplane.rest.serialize import Body, IdField, instant, validated
from monitors.api.guard import ADMINISTER, INSTALLATION, READ, require
from monitors.models import Channel
from monitors.selectors.channels import channels_for, team_channels
from monitors.services import channels


class ChannelRequest(Body):
    """Body of POST /channels. ``project``: the only one it serves; absent: the whole installation."""

    name = serializers.CharField(max_length=100)
    kind = serializers.CharField(max_length=20)
    config = serializers.DictField()
    fallback = IdField(required=False, allow_null=True, default=None)
    project = serializers.CharField(max_length=63, required=False, default="", allow_blank=True)


class ChannelEdit(Body):
    """Body of PUT /channels/{id}: without config the secret stays."""

    config = serializers.DictField(required=False, allow_null=True, default=None)
    fallback = IdField(required=False, allow_null=True, default=None)


class TeamChannelsRequest(Body):
    """Body of PUT /teams/{team}/channels."""

    channels = serializers.ListField(child=IdField(), max_length=20)


class ChannelsView(ApiView):
    """The channels that the caller may know of."""

    access = {"GET": Access(Scope.READ), "POST": Access(Scope.ADMIN, Role.ADMIN)}

    @extend_schema(
        operation_id="channels_list", summary="List channels, without their secrets", responses={200: dict}
    )
    def get(self, request: ApiRequest) -> Response:
        rows = channels_for(request.principal.readable_projects())
        return paginate(request, rows, key="id", render=render_channel)

    @extend_schema(summary="Add a channel", request=ChannelRequest, responses={201: dict})
    @idempotent
    def post(self, request: ApiRequest) -> Response:
        body = validated(ChannelRequest, request)
        require(request.principal, ADMINISTER, body["project"], what=f"project {body['project']!r}")
        _check_fallback(request, body["fallback"])
        row = channels.create_channel(
            **body, actor=request.principal.name, now=clock.now(), address=address_of(request)
        )
        return Response(render_channel(row), status=201)


class ChannelView(ApiView):
    """One channel."""

    access = {
        "GET": Access(Scope.READ),
        "PUT": Access(Scope.ADMIN, Role.ADMIN),
        "DELETE": Access(Scope.ADMIN, Role.ADMIN),
    }

    @extend_schema(summary="One channel, without its secrets", responses={200: dict})
    def get(self, request: ApiRequest, channel_id: int) -> Response:
        row = channels.find(channel_id)
        require(request.principal, READ, row.project, what=f"channel {channel_id}")
        return Response(render_channel(row))

    @extend_schema(summary="Replace config or fallback", request=ChannelEdit, responses={200: dict})
    def put(self, request: ApiRequest, channel_id: int) -> Response:
        _require_admin(request, channel_id)
        body = validated(ChannelEdit, request)
        _check_fallback(request, body["fallback"])
        row = channels.edit_channel(
            channel_id, **body, actor=request.principal.name, now=clock.now(), address=address_of(request)
        )
        return Response(render_channel(row))

    @extend_schema(summary="Delete a channel", responses={204: None})
    def delete(self, request: ApiRequest, channel_id: int) -> Response:
        _require_admin(request, channel_id)
        channels.delete_channel(
            channel_id, actor=request.principal.name, now=clock.now(), address=address_of(request)
        )
        return Response(status=204)


class ChannelTestView(ApiView):
    """Send test."""

    access = {"POST": Access(Scope.ADMIN, Role.ADMIN)}

    @extend_schema(summary="Send a test message and tell what came back", request=None, responses={200: dict})
    def post(self, request: ApiRequest, channel_id: int) -> Response:
        _require_admin(request, channel_id)
        result = channels.test_channel(channel_id, now=clock.now())
        return Response(
            {"ok": result.ok, "reason": result.reason, "elapsed_ms": result.elapsed_ms, "sent": result.sent}
        )


class TeamChannelsView(ApiView):
    """Default channels of a team; ``*`` stands in for teams that have none."""

    access = {"GET": Access(Scope.READ), "PUT": INSTALLATION}

    @extend_schema(summary="Default channels of a team", responses={200: dict})
    def get(self, request: ApiRequest, team: str) -> Response:
        rows = team_channels(team, request.principal.readable_projects())
        return Response({"team": team, "channels": [render_channel(row) for row in rows]})

    @extend_schema(
        summary="Set the default channels of a team", request=TeamChannelsRequest, responses={204: None}
    )
    def put(self, request: ApiRequest, team: str) -> Response:
        body = validated(TeamChannelsRequest, request)
        channels.set_team_channels(
            team, **body, actor=request.principal.name, now=clock.now(), address=address_of(request)
        )
        return Response(status=204)


def _require_admin(request: ApiRequest, channel_id: int) -> None:
    row = channels.find(channel_id)
    require(request.principal, ADMINISTER, row.project, what=f"channel {channel_id}")


def _check_fallback(request: ApiRequest, fallback: int | None) -> None:
    if fallback is not None:
        require(request.principal, READ, channels.find(fallback).project, what=f"channel {fallback}")


def render_channel(row: Channel) -> dict[str, Any]:
    """Return a channel as JSON, its secret only hinted at."""
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "project": row.project or None,
        "hint": row.hint,
        "fallback": row.fallback_id,
        "created_at": instant(row.created_at),
        "last_sent_at": instant(row.last_sent_at),
        "broken_at": instant(row.broken_at),
        "last_error": row.last_error or None,
    }


urlpatterns = [
    path("channels", ChannelsView.as_view()),
    path("channels/<id:channel_id>", ChannelView.as_view()),
    path("channels/<id:channel_id>/test", ChannelTestView.as_view()),
    path("teams/<str:team>/channels", TeamChannelsView.as_view()),
]
