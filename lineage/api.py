"""OpenLineage intake, graph, impact, root cause."""

from dataclasses import asdict
from functools import partial
from typing import Any

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Principal, Role, Scope
from controlplane.accounts.domain import refusal
from controlplane.kernel import clock
from controlplane.kernel.errors import FreshlineError, NotFound, Refused
from controlplane.rest.parsers import AnyTextJsonParser
from controlplane.rest.serialize import instant
from lineage import selectors, services
from lineage.domain import drawing, naming
from lineage.domain.causes import Cause
from lineage.selectors.graph import DrawnNode, Graph

MAX_BATCH = 5_000
_WRITE = Access(Scope.LINEAGE, Role.OPERATOR)
NODE = OpenApiParameter(
    "node", str, required=True, description="dataset:<ns>|<name>, view:<project>/<view>, ..."
)
EXAMPLES = [
    OpenApiExample(
        "A job that read one dataset and wrote another",
        {
            "eventType": "COMPLETE",
            "eventTime": "2026-11-23T12:00:00Z",
            "producer": "https://example.org/scheduler",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
            "run": {"runId": "019ab3c4-7d5e-7f60-8a9b-0c1d2e3f4a5b"},
            "job": {"namespace": "etl", "name": "refine_flights"},
            "inputs": [{"namespace": "s3://lake", "name": "raw/flights"}],
            "outputs": [{"namespace": "s3://lake", "name": "gold/flights"}],
        },
        request_only=True,
    ),
    OpenApiExample(
        "It was new; sent again it is false", {"stored": True}, response_only=True, status_codes=["201"]
    ),
]


class EventView(ApiView):
    """Intake of single events; what openlineage clients post to by configuration alone."""

    access = {"POST": _WRITE}
    parser_classes = [AnyTextJsonParser]
    rate_limited = False

    @extend_schema(
        summary="Take one OpenLineage RunEvent, JobEvent or DatasetEvent",
        request=OpenApiTypes.OBJECT,
        responses={201: dict},
        examples=EXAMPLES,
    )
    def post(self, request: ApiRequest) -> Response:
        refused = partial(_refusal, request.principal)
        fresh = services.receive_event(request.data, now=clock.now(), refusal=refused)
        return Response({"stored": fresh}, status=201)


class BatchView(ApiView):
    """Intake of many events at once."""

    access = {"POST": _WRITE}
    parser_classes = [AnyTextJsonParser]
    rate_limited = False

    @extend_schema(
        summary="Take an array of OpenLineage events; failures are told by index",
        request=OpenApiTypes.OBJECT,
        responses={200: dict},
    )
    def post(self, request: ApiRequest) -> Response:
        events = request.data
        if not isinstance(events, list):
            raise Refused("bad_event", "A batch is a JSON array of events.")
        if len(events) > MAX_BATCH:
            raise Refused("too_large", f"A batch has at most {MAX_BATCH} events; this one has {len(events)}.")
        refused = partial(_refusal, request.principal)
        failures = services.receive_events(events, now=clock.now(), refusal=refused)
        return Response(
            {
                "status": "partial_success" if failures else "success",
                "summary": {
                    "received": len(events),
                    "successful": len(events) - len(failures),
                    "failed": len(failures),
                    "retriable": 0,
                    "non_retriable": len(failures),
                },
                "failed_events": [
                    {"index": failure.index, "reason": failure.reason, "retriable": False}
                    for failure in failures
                ],
            }
        )


class GraphView(ApiView):
    """The graph around a node."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(
        summary="Nodes and edges around a node, with states, capped",
        parameters=[
            NODE,
            OpenApiParameter("up", int, description="hops upstream, 0 to 20, default 1"),
            OpenApiParameter("down", int, description="hops downstream, 0 to 20, default 1"),
            OpenApiParameter("limit", int, description="nodes at most, 1 to 400, default 120"),
            OpenApiParameter(
                "trace", str, enum=["cause"], description="draw the way to the cause, however far"
            ),
        ],
        responses={200: dict},
    )
    def get(self, request: ApiRequest) -> Response:
        graph = selectors.draw_graph(
            selectors.GraphRequest(
                node=naming.parse_id(request.query_params.get("node", "")),
                up=_number(request, "up", 1, most=drawing.MAX_HOPS),
                down=_number(request, "down", 1, most=drawing.MAX_HOPS),
                limit=max(1, _number(request, "limit", drawing.DEFAULT_LIMIT, most=drawing.MAX_LIMIT)),
                trace_cause=request.query_params.get("trace") == "cause",
                readable=request.principal.readable_projects(),
            ),
            now=clock.now(),
        )
        return Response(_graph(graph))


class ImpactView(ApiView):
    """What lies below a node."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(summary="Everything downstream of a node", parameters=[NODE], responses={200: dict})
    def get(self, request: ApiRequest) -> Response:
        node = naming.parse_id(request.query_params.get("node", ""))
        affected, hidden = selectors.find_impact(node, readable=request.principal.readable_projects())
        return Response({"node": node.id, "affected": [asdict(one) for one in affected], "hidden": hidden})


class RootCauseView(ApiView):
    """What explains that a view is bad."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(
        summary="The likeliest cause of a bad view, and alternatives",
        parameters=[NODE],
        responses={200: dict},
    )
    def get(self, request: ApiRequest) -> Response:
        node = naming.parse_id(request.query_params.get("node", ""))
        if node.project is not None and not request.principal.may(Scope.READ, node.project):
            raise NotFound("not_found", f"There is no node {node.id!r}, or you may not know of it.")
        readable = request.principal.readable_projects()
        causes = selectors.causes_now(node.id)
        known = [
            _cause(cause)
            for cause in causes
            if readable is None or {naming.parse_id(step).project for step in cause.path} - {None} <= readable
        ]
        return Response({"node": node.id, "cause": known[0] if known else None, "alternatives": known[1:4]})


def _refusal(principal: Principal, project: str) -> FreshlineError | None:
    return refusal(principal, _WRITE, project=project)


def _number(request: ApiRequest, name: str, default: int, *, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        raise Refused("bad_value", f"{name} is {text!r}: write a number up to {most}")
    return int(text)


def _graph(graph: Graph) -> dict[str, Any]:
    reason = "the limit on nodes was met: worst and nearest first" if graph.left_out else ""
    return {
        "focus": graph.focus,
        "nodes": [_node(node) for node in graph.nodes],
        "edges": [
            {"from": source, "to": target, "kind": "data", "state": "broken" if broken else "ok"}
            for source, target, broken in graph.edges
        ],
        "cause_path": list(graph.cause.path) if graph.cause else [],
        "cause": _cause(graph.cause) if graph.cause else None,
        "left_out": {"count": graph.left_out, "reason": reason},
        "as_of": instant(graph.as_of),
    }


def _node(node: DrawnNode) -> dict[str, Any]:
    return {
        "id": node.id,
        "kind": node.kind,
        "name": node.name,
        "namespace": node.namespace,
        "state": node.shown.state,
        "since": instant(node.shown.since),
        "detail": node.shown.detail,
        "owner": node.owner,
        "up_total": node.up_total,
        "up_drawn": node.up_drawn,
        "down_total": node.down_total,
        "down_drawn": node.down_drawn,
        "hidden": node.hidden,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "node": cause.node_id,
        "kind": cause.kind.value,
        "run": cause.run_id,
        "reason": cause.reason,
        "since": instant(cause.since),
        "confidence": cause.confidence.value,
        "path": list(cause.path),
    }


urlpatterns = [
    path("lineage", EventView.as_view()),
    path("lineage/batch", BatchView.as_view()),
    path("lineage/graph", GraphView.as_view()),
    path("lineage/impact", ImpactView.as_view()),
    path("lineage/root-cause", RootCauseView.as_view()),
]
