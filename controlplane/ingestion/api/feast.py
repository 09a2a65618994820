"""What Feast's clients write and ask for, in Feast's own forms; serving passes it on to here."""

from datetime import UTC, datetime
from functools import partial
from threading import Event
from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope, address_of
from controlplane.accounts.domain import Principal, refusal
from controlplane.ingestion.api import feast_bodies as bodies
from controlplane.ingestion.api.feast_words import BodyReader, in_feasts_words
from controlplane.ingestion.domain.feast_frames import read_frame
from controlplane.ingestion.services import feast_writing, materializing
from controlplane.ingestion.services.asking import Asker
from controlplane.kernel import clock
from controlplane.kernel.errors import NotFound, Refused
from controlplane.registry import selectors as registry
from controlplane.rest.idempotency import idempotent, when_answered
from controlplane.rest.parsers import AnyTextJsonParser

PROJECT_HEADER = "Freshline-Project"
TIMEOUT_HEADER = "X-Request-Timeout-Ms"
_INGEST = Access(Scope.INGEST, Role.OPERATOR)
_OPERATE = Access(Scope.OPERATE, Role.OPERATOR)
# How long a run is waited for: as long as the caller says, at most a minute.
_LOOK_SECONDS, _MOST_LOOKS = 0.5, 120
_IN_PROJECT = OpenApiParameter(
    PROJECT_HEADER,
    str,
    OpenApiParameter.HEADER,
    description="The project; without it the only one that the caller knows.",
)
_ASYNC = OpenApiParameter("async", bool, description="Answer 202 as soon as the runs are queued.")
_FORCE = OpenApiParameter("force", bool, description="With `async`: although runs are under way.")


class FeastRenderer(JSONRenderer):
    """JSON in which nothing is ``null``, as FastAPI says it, and not an empty body."""

    def render(self, data: Any, media_type: str | None = None, context: Any = None) -> bytes:
        return b"null" if data is None else bytes(super().render(data, media_type, context))


class FeastView(ApiView):
    """Base of the calls below: the project comes by a header, since Feast's addresses name none."""

    project = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        principal: Principal = request.principal  # type: ignore[attr-defined]
        self.project = _project_of(request, principal)
        refused = refusal(principal, self.access["POST"], project=self.project)
        if refused is not None:
            raise refused
        if not registry.project_exists(self.project):
            raise NotFound("not_found", f"There is no project {self.project!r}, or you may not know of it.")


def _project_of(request: Request, principal: Principal) -> str:
    named = request.headers.get(PROJECT_HEADER, "")
    if named:
        return named
    known = principal.readable_projects()
    names = sorted(known) if known is not None else [each.name for each in registry.list_projects()]
    if len(names) != 1:
        raise Refused("missing_field", f"Say in the header {PROJECT_HEADER} which project this is about.")
    return names[0]


class PushView(FeastView):
    """Rows for every view of a push source."""

    access = {"POST": _INGEST}
    parser_classes = [AnyTextJsonParser]  # each row is answered for

    @extend_schema(
        operation_id="feast_push",
        summary="Feast's POST /push: write a data frame to the views of a push source",
        parameters=[_IN_PROJECT],
        request=bodies.PUSH,
        responses={200: None},
    )
    @idempotent
    @in_feasts_words
    def post(self, request: ApiRequest) -> Response:
        body = BodyReader(request.data)
        source, frame = body.text("push_source_name"), body.mapping("df")
        _refuse_offline(body.text("to", default="online"))
        now = clock.now()
        feast_writing.push_frame(
            self.project,
            source,
            read_frame(frame),
            received_at=getattr(request, "received_at", now),
            now=now,
            at_the_end=partial(when_answered, request),
        )
        return Response()


def _refuse_offline(to: str) -> None:
    kinds = ("online", "offline", "online_and_offline")
    if to not in kinds:
        raise Refused("bad_value", f"{to} is not a supported push format: one of {', '.join(kinds)}.")
    if to != "online":
        raise Refused(
            "bad_value", f"to: {to} needs an offline store, and there is none here: push with to: online."
        )


class WriteView(FeastView):
    """Rows for one view."""

    access = {"POST": _INGEST}
    parser_classes = [AnyTextJsonParser]  # each row is answered for
    renderer_classes = [FeastRenderer]

    @extend_schema(
        operation_id="feast_write_to_online_store",
        summary="Feast's POST /write-to-online-store: write a data frame to one view",
        parameters=[_IN_PROJECT],
        request=bodies.WRITE,
        responses={200: bodies.NULL},
    )
    @idempotent
    @in_feasts_words
    def post(self, request: ApiRequest) -> Response:
        body = BodyReader(request.data)
        view, frame = body.text("feature_view_name"), body.mapping("df")
        now = clock.now()
        feast_writing.write_frame(
            self.project,
            view,
            read_frame(frame),
            received_at=getattr(request, "received_at", now),
            now=now,
            at_the_end=partial(when_answered, request),
        )
        return Response()


class MaterializeView(FeastView):
    """Batch runs of views, waited for."""

    access = {"POST": _OPERATE}
    renderer_classes = [FeastRenderer]

    @extend_schema(
        operation_id="feast_materialize",
        summary="Feast's POST /materialize: run the batch lanes of views",
        parameters=[_IN_PROJECT, _ASYNC, _FORCE],
        request=bodies.MATERIALIZE,
        responses={200: bodies.NULL, 202: dict, 409: dict},
    )
    @idempotent
    @in_feasts_words
    def post(self, request: ApiRequest) -> Response:
        body = BodyReader(request.data)
        if not body.truth("disable_event_timestamp"):
            _read_window(body)
        return _materialize(request, self.project, body)


class MaterializeIncrementalView(FeastView):
    """The same: every run of ours is incremental."""

    access = {"POST": _OPERATE}
    renderer_classes = [FeastRenderer]

    @extend_schema(
        operation_id="feast_materialize_incremental",
        summary="Feast's POST /materialize-incremental: run the batch lanes of views",
        parameters=[_IN_PROJECT, _ASYNC, _FORCE],
        request=bodies.MATERIALIZE_INCREMENTAL,
        responses={200: bodies.NULL, 202: dict, 409: dict},
    )
    @idempotent
    @in_feasts_words
    def post(self, request: ApiRequest) -> Response:
        body = BodyReader(request.data)
        _read_time("end_ts", body.text("end_ts"))
        return _materialize(request, self.project, body)


def _materialize(request: ApiRequest, project: str, body: BodyReader) -> Response:
    names = body.texts("feature_views")
    if body.optional_text("version"):
        raise Refused("bad_value", "version: feature views have no versions of their own here; leave it out.")
    looks = _looks(request)
    records = materializing.find_views(project, names)
    is_async = _asks(request, "async")
    if is_async and not _asks(request, "force"):
        busy = materializing.under_way(records)
        if busy:
            return _conflict(f"runs of these feature views are under way: {busy}.", busy)
    asker = Asker(request.principal.name, address_of(request))
    runs = materializing.queue_runs(records, asker=asker, now=clock.now())
    if is_async:
        accepted = {"status": "accepted", "feature_views": [record.name for record in records]}
        return Response(accepted, status=202)
    ends = materializing.await_ends(runs, looks=looks, pause=partial(Event().wait, _LOOK_SECONDS))
    late = materializing.still_at_work(ends)
    if late:
        return _conflict(f"their runs were queued and are still at work: {late}; ask with async=true.", late)
    materializing.refuse_failures(ends)
    return Response()


def _conflict(error: str, views: list[str]) -> Response:
    """Answer as Feast does for views that are being materialized; its client tries only 5xx and 429 again."""
    return Response({"error": f"Materialization is not done: {error}", "feature_views": views}, status=409)


def _looks(request: ApiRequest) -> int:
    text = request.headers.get(TIMEOUT_HEADER, "")
    if not text:
        return _MOST_LOOKS
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        raise Refused("bad_value", f"{TIMEOUT_HEADER}: {text[:40]!r} is no number of milliseconds above 0")
    return min(int(int(text) / 1000 / _LOOK_SECONDS) + 1, _MOST_LOOKS)


def _asks(request: ApiRequest, name: str) -> bool:
    text = request.query_params.get(name, "false").lower()
    if text not in _TRUTHS:
        raise Refused("bad_value", f"?{name}={text[:40]}: write true or false")
    return _TRUTHS[text]


_TRUTHS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


def _read_window(body: BodyReader) -> None:
    """Check Feast's window as Feast does; a run needs none, since it compares the whole source."""
    start, end = body.optional_text("start_ts"), body.optional_text("end_ts")
    if not start or not end:
        raise Refused(
            "missing_field", "start_ts and end_ts are required when disable_event_timestamp is False"
        )
    if _read_time("start_ts", start) >= _read_time("end_ts", end):
        raise Refused("bad_value", f"start_ts ({start[:40]}) must be before end_ts ({end[:40]})")


def _read_time(name: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise Refused("bad_value", f"{name}: {text[:40]!r} is no ISO 8601 time") from wrong
    return found if found.tzinfo else found.replace(tzinfo=UTC)


urlpatterns = [
    path("feast/push", PushView.as_view()),
    path("feast/write-to-online-store", WriteView.as_view()),
    path("feast/materialize", MaterializeView.as_view()),
    path("feast/materialize-incremental", MaterializeIncrementalView.as_view()),
]
