"""Health of views, and whether monitoring itself is behind."""

from datetime import datetime, timedelta
from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Scope
from controlplane.kernel import clock
from controlplane.kernel.errors import Refused
from controlplane.observations import selectors as observations
from controlplane.observations.selectors import ProbeResult
from controlplane.rest.serialize import instant, read_instant
from monitors.selectors.health import ViewHealth, project_health, view_health
from monitors.selectors.watchdog import last_evaluation_at, monitoring_behind

DEFAULT_SPAN = timedelta(hours=1)
LONGEST_SPAN = timedelta(days=14)


class HealthView(ApiView):
    """The health of a project's views."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(summary="Health of every view, the worst first", responses={200: dict})
    def get(self, request: ApiRequest, project: str) -> Response:
        now = clock.now()
        items = [render_health(one) for one in project_health(project, now=now)]
        return Response({"items": items, "monitoring": render_behind(now), "at": instant(now)})


class FreshnessView(ApiView):
    """The three ages of one view, now and over time."""

    access = {"GET": Access(Scope.READ)}

    @extend_schema(
        summary="State and ages of a view; probes of a span of time",
        parameters=[OpenApiParameter("from", datetime), OpenApiParameter("to", datetime)],
        responses={200: dict},
    )
    def get(self, request: ApiRequest, project: str, view: str) -> Response:
        now = clock.now()
        end = read_instant(request, "to") or now
        start = read_instant(request, "from") or end - DEFAULT_SPAN
        if not timedelta(0) < end - start <= LONGEST_SPAN:
            raise Refused("bad_value", f"from, to: a span of at most {LONGEST_SPAN.days} days")
        probes = observations.probes_between(project, view, start=start, end=end)
        answer = render_health(view_health(project, view, now=now))
        told = {"probes": [_probe(probe) for probe in probes], "monitoring": render_behind(now)}
        return Response(answer | told | {"at": instant(now)})


def render_health(one: ViewHealth) -> dict[str, Any]:
    """Return a view's health as JSON."""
    return {
        "view": one.view,
        "state": one.health.state.value,
        "since": instant(one.health.since),
        "reason": one.health.reason,
        "learning": one.is_learning,
        "owner": one.owner or None,
        "tier": one.tier,
        "served_age_seconds": one.served_age_s,
        "source_age_seconds": one.source_age_s,
        "probed_at": instant(one.probed_at),
        "probe": _probe(one.probe) if one.probe else None,
        "incidents": list(one.incidents),
    }


def render_behind(now: datetime) -> dict[str, Any]:
    """Return whether monitoring is behind as JSON."""
    behind = monitoring_behind(now=now)
    return {
        "behind": behind.is_behind,
        "sentence": behind.sentence,
        "last_evaluation_at": instant(last_evaluation_at()),
        "silent_loops": {name: instant(at) for name, at in behind.silent_loops.items()},
        "overdue_monitors": behind.overdue_monitors,
        "oldest_unsent_at": instant(behind.oldest_unsent_at),
    }


def _probe(probe: ProbeResult) -> dict[str, Any]:
    ages = {"p50": probe.age_p50, "p95": probe.age_p95, "max": probe.age_max}
    return {
        "at": instant(probe.at),
        "keys_read": probe.keys_read,
        "found": probe.found,
        "missing": probe.missing,
        "invalid": probe.invalid,
        "age_seconds": {name: None if age is None else age.total_seconds() for name, age in ages.items()},
        "stale_share": probe.stale_share,
        "error": probe.error or None,
    }


urlpatterns = [
    path("projects/<str:project>/health", HealthView.as_view()),
    path("projects/<str:project>/feature-views/<str:view>/freshness", FreshnessView.as_view()),
]
