"""The REST API of ingestion: direct rows, heartbeats, runs and refused rows."""

from dataclasses import asdict
from typing import Any, ClassVar

from django.db import transaction
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope, address_of
from controlplane.accounts.domain import refusal
from controlplane.accounts.services import audit
from controlplane.ingestion import selectors
from controlplane.ingestion.models import IngestionRun, RefusedRow
from controlplane.ingestion.services import direct, heartbeats, runs
from controlplane.kernel import clock
from controlplane.kernel.errors import Conflict, NotFound, Refused
from controlplane.registry import selectors as registry
from controlplane.rest.idempotency import idempotent
from controlplane.rest.pagination import paginate
from controlplane.rest.serialize import instant, validated
from store_adapters import Lane

_READ = Access(Scope.READ)
_INGEST = Access(Scope.INGEST, Role.OPERATOR)
_OPERATE = Access(Scope.OPERATE, Role.OPERATOR)


class RowsRequest(serializers.Serializer[Any]):
    """Body of POST rows; each row is checked by itself."""

    rows = serializers.ListField(child=serializers.JSONField(), required=False, default=list)
    deletes = serializers.ListField(child=serializers.JSONField(), required=False, default=list)


class RowsView(ApiView):
    """Rows of the direct lane."""

    access = {"POST": _INGEST}

    @extend_schema(
        summary="Write rows and deletes; each is answered for", request=RowsRequest, responses={200: dict}
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
        summary="Say until when everything is posted", request=HeartbeatRequest, responses={204: None}
    )
    def post(self, request: ApiRequest, project: str, view: str) -> Response:
        body = validated(HeartbeatRequest, request)
        heartbeats.record_heartbeat(
            project, view, writer=body["writer"], as_of=body["as_of"], now=clock.now()
        )
        return Response(status=204)


class RunRequest(serializers.Serializer[Any]):
    """Body of POST runs."""

    lane = serializers.ChoiceField(choices=[Lane.BATCH.value])
    full = serializers.BooleanField(required=False, default=False)


class ViewRunsView(ApiView):
    """Runs that somebody asks for."""

    access = {"POST": _OPERATE}

    @extend_schema(summary="Queue a batch run", request=RunRequest, responses={202: dict})
    @idempotent
    def post(self, request: ApiRequest, project: str, view: str) -> Response:
        body = validated(RunRequest, request)
        return _queue(request, project, view, full=body["full"])


class RunsView(ApiView):
    """The runs of a project."""

    access = {"GET": _READ}

    @extend_schema(
        operation_id="runs_list",
        summary="Runs, the newest first",
        parameters=[OpenApiParameter(name, str) for name in ("view", "lane", "state")],
        responses={200: dict},
    )
    def get(self, request: ApiRequest, project: str) -> Response:
        wanted = {name: request.query_params.get(name) for name in ("view", "lane", "state")}
        return paginate(request, selectors.runs(None, project=project, **wanted), key="-id", render=_run)


class RunView(ApiView):
    """One run."""

    access = {"GET": _READ}

    @extend_schema(summary="One run", responses={200: dict})
    def get(self, request: ApiRequest, run_id: int) -> Response:
        return Response(_run(_run_for(request, run_id, _READ)))


class RunActionView(ApiView):
    """What a person does with a run."""

    access = {"POST": _OPERATE}
    action: ClassVar[str] = ""

    @extend_schema(summary="Cancel, retry or release a run", request=None, responses={202: dict})
    def post(self, request: ApiRequest, run_id: int) -> Response:
        run = _run_for(request, run_id, _OPERATE)
        now = clock.now()
        if self.action == "retry":
            if run.lane != Lane.BATCH or run.state not in ("failed", "aborted"):
                raise Conflict("conflict", f"run {run.pk} cannot be retried: it is {run.state}")
            return _queue(request, run.project, run.view, full=run.is_full)
        with transaction.atomic():
            before = run.state
            (runs.cancel_run if self.action == "cancel" else runs.release_run)(run, now=now)
            _record(request, run, self.action, before=before)
        return Response(_link(run), status=202)


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
        run = request.query_params.get("run")
        if run is not None and not (run.isascii() and run.isdigit()):
            raise Refused("bad_value", f"run is {run!r}: write a number")
        rows = selectors.refused_rows(
            None,
            project=project,
            view=request.query_params.get("view"),
            run_id=int(run) if run else None,
        )
        return paginate(request, rows, key="-id", render=lambda row: _refused(row, shows_payload=shows))


def _run_for(request: ApiRequest, run_id: int, access: Access) -> IngestionRun:
    """Return a run that the caller may see and use so; else what a project in the address would answer."""
    run = selectors.get_run(run_id)
    refused = refusal(request.principal, access, project=run.project)
    if isinstance(refused, NotFound):  # the same words as for a run that does not exist
        raise NotFound("not_found", f"There is no run {run_id}, or you may not know of it.")
    if refused is not None:
        raise refused
    return run


def _queue(request: ApiRequest, project: str, view: str, *, full: bool) -> Response:
    record = registry.find_view(project, view)
    if record.view.batch is None:
        raise Refused("lane_not_declared", f"feature view {view!r} has no batch lane")
    with transaction.atomic():
        run = runs.queue_run(
            record, Lane.BATCH, now=clock.now(), full=full, requested_by=request.principal.name[:120]
        )
        _record(request, run, "run", before="")
    return Response(_link(run), status=202)


def _record(request: ApiRequest, run: IngestionRun, action: str, *, before: str) -> None:
    audit.record(
        actor=request.principal.name,
        project=run.project,
        action=action,
        object_kind="run",
        object_name=f"{run.view}.{run.lane}#{run.pk}",
        before={"state": before} if before else None,
        after={"state": run.state, "full": run.is_full},
        now=clock.now(),
        address=address_of(request),
    )


def _link(run: IngestionRun) -> dict[str, Any]:
    return {"run": {"id": run.pk, "url": f"/api/v1/runs/{run.pk}"}}


def _run(run: IngestionRun) -> dict[str, Any]:
    def at(us: int | None) -> str | None:
        return None if us is None else instant(clock.from_us(us))

    return {
        "id": run.pk,
        "project": run.project,
        "view": run.view,
        "lane": run.lane,
        "state": run.state,
        "phase": run.phase,
        "full": run.is_full,
        "progress": {"done": run.progress_done, "total": run.progress_total},
        "counts": run.counts.as_dict(),
        "watermark_before": at(run.watermark_before_us),
        "watermark_after": at(run.watermark_after_us),
        "hollow": run.hollow or None,
        "hold_reason": run.hold_reason or None,
        "scheduled_for": instant(run.scheduled_for),
        "queued_at": instant(run.queued_at),
        "started_at": instant(run.started_at),
        "ended_at": instant(run.ended_at),
        "error": run.error,
        "openlineage_run_id": str(run.openlineage_run_id),
        "requested_by": run.requested_by,
        "ledger": run.ledger,
    }


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


_VIEW = "projects/<str:project>/feature-views/<str:view>"
urlpatterns = [
    path(f"{_VIEW}/rows", RowsView.as_view()),
    path(f"{_VIEW}/heartbeat", HeartbeatView.as_view()),
    path(f"{_VIEW}/runs", ViewRunsView.as_view()),
    path("projects/<str:project>/runs", RunsView.as_view()),
    path("projects/<str:project>/refused-rows", RefusedRowsView.as_view()),
    path("runs/<int:run_id>", RunView.as_view()),
    path("runs/<int:run_id>/cancel", RunActionView.as_view(action="cancel")),
    path("runs/<int:run_id>/retry", RunActionView.as_view(action="retry")),
    path("runs/<int:run_id>/release", RunActionView.as_view(action="release")),
]
