"""Data by HTTP: direct rows, heartbeats, runs, refused rows."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope, address_of
from controlplane.accounts.services import audit
from controlplane.ingestion import selectors
from controlplane.ingestion.models import IngestionRun, RefusedRow
from controlplane.ingestion.selectors import RunRecord
from controlplane.ingestion.services import direct, heartbeats, runs
from controlplane.kernel import clock
from controlplane.kernel.clock import from_us
from controlplane.kernel.errors import NotFound, Refused
from controlplane.registry import selectors as registry
from controlplane.rest.idempotency import idempotent
from controlplane.rest.pagination import paginate
from controlplane.rest.serialize import instant, validated
from store_adapters import Lane


class HeartbeatRequest(serializers.Serializer[Any]):
    """Body of POST heartbeat: until when the writer vouches for what it wrote."""

    as_of = serializers.DateTimeField()
    writer = serializers.CharField(max_length=100)


class RunRequest(serializers.Serializer[Any]):
    """Body of POST runs."""

    lane = serializers.ChoiceField([Lane.BATCH.value])
    full = serializers.BooleanField(required=False, default=False)


class RowsRequest(serializers.Serializer[Any]):
    """Body of POST rows; each row has the join keys, the features and, if need be, event_time."""

    rows = serializers.ListField(child=serializers.DictField())
    deletes = serializers.ListField(child=serializers.DictField(), required=False)


class RowsView(ApiView):
    """The direct lane: checked, written and acknowledged in one request."""

    access = {"POST": Access(Scope.INGEST, Role.OPERATOR)}
    rate_limited = False

    @extend_schema(
        summary="Write rows; each is told what became of it", request=RowsRequest, responses={200: dict}
    )
    @idempotent
    def post(self, request: ApiRequest, project: str, view: str) -> Response:
        body = request.data
        if not isinstance(body, dict) or set(body) - {"rows", "deletes"}:
            raise Refused("bad_value", "the body is an object with rows, deletes, or both")
        now = clock.now()
        received_at: datetime = getattr(request, "received_at", now)
        rows, deletes = _list(body, "rows"), _list(body, "deletes")
        answer = direct.write_rows(
            project, view, rows=rows, deletes=deletes, received_at=received_at, now=now
        )
        return Response(
            {
                "written": answer.written,
                "older": answer.older,
                "unchanged": answer.unchanged,
                "refused": [asdict(result) for result in answer.refused],
            }
        )


class HeartbeatView(ApiView):
    """Moves the direct watermark for writers that push only what changed."""

    access = {"POST": Access(Scope.INGEST, Role.OPERATOR)}
    rate_limited = False

    @extend_schema(summary="Vouch for what was written", request=HeartbeatRequest, responses={204: None})
    def post(self, request: ApiRequest, project: str, view: str) -> Response:
        body = validated(HeartbeatRequest, request)
        heartbeats.record_heartbeat(
            project, view, writer=body["writer"], as_of=body["as_of"], now=clock.now()
        )
        return Response(status=204)


class ViewRunsView(ApiView):
    """Asks for a run of one view."""

    access = {"POST": Access(Scope.OPERATE, Role.OPERATOR)}

    @extend_schema(summary="Queue a run", request=RunRequest, responses={202: dict})
    @idempotent
    def post(self, request: ApiRequest, project: str, view: str) -> Response:
        body = validated(RunRequest, request)
        record, lane = registry.find_view(project, view), Lane(body["lane"])
        if lane.value not in record.view.lanes:
            raise Refused("bad_value", f"view {view!r} has no {lane.value} lane")
        by = request.principal.name
        run = runs.queue_run(record, lane, now=clock.now(), full=body["full"], requested_by=by)
        url = f"/api/v1/projects/{project}/runs/{run.pk}"
        return Response({"run": {"id": run.pk, "url": url}}, status=202)


class RunsView(ApiView):
    """The runs of a project."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(summary="Runs, newest first", responses={200: dict})
    def get(self, request: ApiRequest, project: str) -> Response:
        wanted = {name: request.query_params.get(name) for name in ("view", "lane", "state")}
        found = selectors.runs(None, project=project, **wanted)
        return paginate(request, found, key="-id", render=lambda run: _run(selectors.run_record(run)))


class RunView(ApiView):
    """One run."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(summary="One run, with its counts", responses={200: dict})
    def get(self, request: ApiRequest, project: str, run_id: int) -> Response:
        return Response(_run(selectors.run_record(_find(project, run_id))))


class RunActionView(ApiView):
    """Cancel a run, or release one that a circuit breaker held; both are audited."""

    access = {"POST": Access(Scope.OPERATE, Role.OPERATOR)}

    @extend_schema(summary="cancel or release", request=None, responses={202: dict})
    def post(self, request: ApiRequest, project: str, run_id: int, action: str) -> Response:
        actions = {"cancel": runs.cancel_run, "release": runs.release_run}
        if action not in actions:
            raise NotFound("not_found", f"There is no action {action!r}; there are cancel and release.")
        run, now = _find(project, run_id), clock.now()
        actions[action](run, now=now)
        audit.record(
            actor=request.principal.name,
            project=project,
            action=action,
            object_kind="run",
            object_name=f"{run.view} #{run.pk}",
            now=now,
            address=address_of(request),
        )
        return Response(
            {"run": {"id": run.pk, "url": f"/api/v1/projects/{project}/runs/{run.pk}"}}, status=202
        )


class RefusedRowsView(ApiView):
    """Rows that broke the contract on their way in. Their payloads are feature values: scope lookup."""

    access = {"GET": Access(Scope.LOOKUP)}

    @extend_schema(summary="Refused rows, newest first", responses={200: dict})
    def get(self, request: ApiRequest, project: str) -> Response:
        found = selectors.refused_rows(None, project=project, view=request.query_params.get("view"))
        return paginate(request, found, key="-id", render=_refused)


def _list(body: dict[str, Any], name: str) -> list[object]:
    found = body.get(name, [])
    if not isinstance(found, list):
        raise Refused("bad_value", f"{name} is an array of objects")
    return found


def _find(project: str, run_id: int) -> IngestionRun:
    run = selectors.get_run(run_id)
    if run.project != project:
        raise NotFound("not_found", f"There is no run {run_id}, or you may not know of it.")
    return run


def _run(record: RunRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "view": record.view,
        "lane": record.lane.value,
        "state": record.state.value,
        "phase": record.phase,
        "progress": {"done": record.progress_done, "total": record.progress_total},
        "counts": asdict(record.counts),
        "watermark_before": _watermark(record.watermark_before_us),
        "watermark_after": _watermark(record.watermark_after_us),
        "hollow": record.hollow,
        "held_because": record.hold_reason or None,
        "started_at": instant(record.started_at),
        "ended_at": instant(record.ended_at),
        "error": record.error,
        "openlineage_run_id": str(record.openlineage_run_id),
    }


def _watermark(us: int | None) -> str | None:
    return None if us is None else instant(from_us(us))


def _refused(row: RefusedRow) -> dict[str, Any]:
    return {
        "id": row.pk,
        "view": row.view,
        "run": row.run_id,
        "position": row.position,
        "field": row.field,
        "code": row.code,
        "message": row.message,
        "payload": row.payload,
    }


_VIEW = "projects/<str:project>/feature-views/<str:view>"
urlpatterns = [
    path(f"{_VIEW}/rows", RowsView.as_view()),
    path(f"{_VIEW}/heartbeat", HeartbeatView.as_view()),
    path(f"{_VIEW}/runs", ViewRunsView.as_view()),
    path("projects/<str:project>/runs", RunsView.as_view()),
    path("projects/<str:project>/runs/<int:run_id>", RunView.as_view()),
    path("projects/<str:project>/runs/<int:run_id>/<str:action>", RunActionView.as_view()),
    path("projects/<str:project>/refused-rows", RefusedRowsView.as_view()),
]
