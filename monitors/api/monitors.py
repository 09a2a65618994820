"""Monitors: list, add, edit, pause, delete, run now."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope, address_of
from controlplane.kernel import clock
from controlplane.kernel.errors import NotFound
from controlplane.rest.idempotency import idempotent
from controlplane.rest.pagination import paginate
from controlplane.rest.serialize import Body, instant, validated
from monitors.api.guard import OPERATE, require
from monitors.models import Monitor
from monitors.selectors.monitors import monitors_of, state_now
from monitors.services import monitors


class MonitorRequest(Body):
    """Body of POST: a view, a kind, and its config."""

    view = serializers.CharField(max_length=63)
    kind = serializers.CharField(max_length=20)
    service = serializers.CharField(max_length=63, required=False, default="", allow_blank=True)
    config = serializers.DictField(required=False, default=dict)
    paused = serializers.BooleanField(required=False, default=False)


class MonitorPatch(Body):
    """Body of PATCH: what is absent stays."""

    config = serializers.DictField(required=False, allow_null=True, default=None)
    paused = serializers.BooleanField(required=False, allow_null=True, default=None)


class MonitorsView(ApiView):
    """The monitors of a project."""

    access = {"GET": Access(Scope.READ), "POST": Access(Scope.REGISTER, Role.EDITOR)}

    @extend_schema(operation_id="monitors_list", summary="List monitors", responses={200: dict})
    def get(self, request: ApiRequest, project: str) -> Response:
        rows = monitors_of(project, view=request.query_params.get("view"))
        return paginate(request, rows, key="id", render=render_monitor)

    @extend_schema(summary="Add a monitor", request=MonitorRequest, responses={201: dict})
    @idempotent
    def post(self, request: ApiRequest, project: str) -> Response:
        row = monitors.create_monitor(
            project=project,
            **validated(MonitorRequest, request),
            actor=request.principal.name,
            now=clock.now(),
            address=address_of(request),
        )
        return Response(render_monitor(row), status=201)


class MonitorView(ApiView):
    """One monitor."""

    access = {
        "GET": Access(Scope.READ),
        "PATCH": Access(Scope.REGISTER, Role.EDITOR),
        "DELETE": Access(Scope.REGISTER, Role.EDITOR),
    }

    @extend_schema(summary="One monitor and where it stands", responses={200: dict})
    def get(self, request: ApiRequest, project: str, monitor_id: int) -> Response:
        return Response(render_monitor(_of(project, monitor_id)))

    @extend_schema(summary="Edit or pause a monitor", request=MonitorPatch, responses={200: dict})
    def patch(self, request: ApiRequest, project: str, monitor_id: int) -> Response:
        _of(project, monitor_id)
        row = monitors.edit_monitor(
            monitor_id,
            **validated(MonitorPatch, request),
            actor=request.principal.name,
            now=clock.now(),
            address=address_of(request),
        )
        return Response(render_monitor(row))

    @extend_schema(summary="Delete a monitor", responses={204: None})
    def delete(self, request: ApiRequest, project: str, monitor_id: int) -> Response:
        _of(project, monitor_id)
        monitors.delete_monitor(
            monitor_id, actor=request.principal.name, now=clock.now(), address=address_of(request)
        )
        return Response(status=204)


class MonitorRunView(ApiView):
    """Evaluate now."""

    access = {"POST": OPERATE}

    @extend_schema(summary="Make a monitor due now", request=None, responses={202: dict})
    def post(self, request: ApiRequest, monitor_id: int) -> Response:
        row = monitors.find(monitor_id)
        require(request.principal, OPERATE, row.project, what=f"monitor {monitor_id}")
        return Response(render_monitor(monitors.run_monitor(monitor_id, now=clock.now())), status=202)


def _of(project: str, monitor_id: int) -> Monitor:
    row = monitors.find(monitor_id)
    if row.project != project:
        raise NotFound("not_found", f"There is no monitor {monitor_id}, or you may not know of it.")
    return row


def render_monitor(row: Monitor) -> dict[str, Any]:
    """Return a monitor as JSON."""
    return {
        "id": row.pk,
        "view": row.view,
        "service": row.service or None,
        "kind": row.kind,
        "config": row.config,
        "managed": row.managed,
        "paused": row.paused,
        "state": state_now(row, now=clock.now()).value,
        "since": instant(row.since),
        "level": row.level,
        "value": row.value,
        "reason": row.reason,
        "evaluated_at": instant(row.evaluated_at),
        "due_at": instant(row.due_at),
    }


urlpatterns = [
    path("projects/<str:project>/monitors", MonitorsView.as_view()),
    path("projects/<str:project>/monitors/<id:monitor_id>", MonitorView.as_view()),
    path("monitors/<id:monitor_id>/run", MonitorRunView.as_view()),
]
