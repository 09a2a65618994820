"""Runs by HTTP: asked for, listed, followed, cancelled, tried again, released; and what they saved."""

import json
from collections.abc import Iterator
from datetime import timedelta
from threading import Event
from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope, address_of
from controlplane.accounts.domain import refusal
from controlplane.ingestion import selectors
from controlplane.ingestion.domain.runs import UNFINISHED
from controlplane.ingestion.models import IngestionRun
from controlplane.ingestion.services import asking
from controlplane.kernel import clock
from controlplane.kernel.errors import NotFound
from controlplane.rest.idempotency import idempotent
from controlplane.rest.pagination import paginate
from controlplane.rest.serialize import Body, instant, read_number, validated
from store_adapters import Lane

_READ = Access(Scope.READ)
_OPERATE = Access(Scope.OPERATE, Role.OPERATOR)
_FOLLOW_LOOKS, _FOLLOW_PAUSE_SECONDS = 120, 0.5


class EventStreamRenderer(BaseRenderer):
    """Lets a caller ask for text/event-stream; what is streamed is no rendered answer."""

    media_type = "text/event-stream"
    format = "event-stream"

    def render(self, data: Any, media_type: str | None = None, context: Any = None) -> bytes:
        return json.dumps(data).encode()


class RunRequest(Body):
    """Body of POST runs; it may be empty."""

    lane = serializers.ChoiceField(choices=[Lane.BATCH.value], required=False)
    full = serializers.BooleanField(required=False, default=False)


class ViewRunsView(ApiView):
    """Runs that somebody asks for."""

    access = {"POST": _OPERATE}

    @extend_schema(summary="Queue a batch run", request=RunRequest, responses={202: dict})
    @idempotent
    def post(self, request: ApiRequest, project: str, view: str) -> Response:
        body = validated(RunRequest, request)
        run = asking.ask_run(project, view, full=body["full"], asker=_asker(request), now=clock.now())
        return Response(_link(run), status=202)


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


class RetryRequest(Body):
    """Body of POST retry. ``skip_gap``: go on after events that a stream has lost."""

    skip_gap = serializers.BooleanField(required=False, default=False)


class RetryView(ApiView):
    """Another try of a run that ended badly."""

    access = {"POST": _OPERATE}

    @extend_schema(
        summary="Try a run again; a stream goes on by itself, and after a gap only with skip_gap",
        request=RetryRequest,
        responses={202: dict},
    )
    def post(self, request: ApiRequest, run_id: int) -> Response:
        run = _run_for(request, run_id, _OPERATE)
        skip_gap = validated(RetryRequest, request)["skip_gap"]
        over_gap = run.lane == Lane.STREAM and skip_gap
        after = asking.ask_retry(run, over_gap=over_gap, asker=_asker(request), now=clock.now())
        return Response(_link(after), status=202)


class RunActionView(ApiView):
    """What a person does with a run."""

    access = {"POST": _OPERATE}
    action: ClassVar[str] = ""

    @extend_schema(summary="Cancel or release a run", request=None, responses={202: dict})
    def post(self, request: ApiRequest, run_id: int) -> Response:
        run = _run_for(request, run_id, _OPERATE)
        ask = asking.ask_end if self.action == "cancel" else asking.ask_release
        ask(run, asker=_asker(request), now=clock.now())
        return Response(_link(run), status=202)


class RunEventsView(ApiView):
    """Progress of a run as server-sent events, until it ends or the stream has lasted long enough."""

    access = {"GET": _READ}
    renderer_classes = [JSONRenderer, EventStreamRenderer]

    @extend_schema(summary="Follow a run (text/event-stream)", responses={(200, "text/event-stream"): str})
    def get(self, request: ApiRequest, run_id: int) -> StreamingHttpResponse:
        run = _run_for(request, run_id, _READ)
        answer = StreamingHttpResponse(_follow(run.pk), content_type="text/event-stream")
        answer["Cache-Control"] = "no-store"
        answer["X-Accel-Buffering"] = "no"
        return answer


class SavingsView(ApiView):
    """The ledger: what batch runs did not have to write."""

    access = {"GET": _READ}

    @extend_schema(
        summary="Savings by view over the last 30 days (or ?days=)",
        parameters=[OpenApiParameter("days", int)],
        responses={200: dict},
    )
    def get(self, request: ApiRequest, project: str) -> Response:
        days = read_number(request, "days", least=1, most=400) or 30
        since = clock.now() - timedelta(days=days)
        return Response({"items": selectors.savings(project, since=since)})


def _follow(run_id: int) -> Iterator[str]:
    """Yield the run whenever it looks different, at most for a minute: a client asks again."""
    pause, last = Event(), ""
    for _ in range(_FOLLOW_LOOKS):
        run = selectors.get_run(run_id)
        body = json.dumps(_run(run))
        if body != last:
            yield f"event: run\ndata: {body}\n\n"
            last = body
        if run.state not in UNFINISHED:
            return
        pause.wait(_FOLLOW_PAUSE_SECONDS)
    yield ": ask again\n\n"


def _run_for(request: ApiRequest, run_id: int, access: Access) -> IngestionRun:
    """Return a run that the caller may see and use so; else what a project in the address would answer."""
    run = selectors.get_run(run_id)
    refused = refusal(request.principal, access, project=run.project)
    if isinstance(refused, NotFound):  # the same words as for a run that does not exist
        raise NotFound("not_found", f"There is no run {run_id}, or you may not know of it.")
    if refused is not None:
        raise refused
    return run


def _asker(request: ApiRequest) -> asking.Asker:
    return asking.Asker(request.principal.name, address_of(request))


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


_VIEW = "projects/<str:project>/feature-views/<str:view>"
urlpatterns = [
    path(f"{_VIEW}/runs", ViewRunsView.as_view()),
    path("projects/<str:project>/runs", RunsView.as_view()),
    path("projects/<str:project>/savings", SavingsView.as_view()),
    path("runs/<id:run_id>", RunView.as_view()),
    path("runs/<id:run_id>/events", RunEventsView.as_view()),
    path("runs/<id:run_id>/cancel", RunActionView.as_view(action="cancel")),
    path("runs/<id:run_id>/retry", RetryView.as_view()),
    path("runs/<id:run_id>/release", RunActionView.as_view(action="release")),
]
