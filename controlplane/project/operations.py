"""/healthz, /readyz, /metrics."""

import ipaddress
from typing import Any

from django.db import DatabaseError, Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import OperationalError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from controlplane.accounts import selectors
from controlplane.accounts.domain import Access, Role, Scope, refusal
from controlplane.accounts.services.tokens import digest_of
from controlplane.kernel import clock
from controlplane.kernel.errors import FreshlineError, Unauthenticated
from controlplane.kernel.metrics import REGISTRY
from controlplane.project.celery import app
from controlplane.rest.problems import plain, status_of
from monitors.selectors.watchdog import monitoring_behind


def healthz(request: HttpRequest) -> HttpResponse:
    """Tell that the process is alive, and whether monitoring is behind: always with 200.

    A restart of this process would bring no loop back and no database, so neither makes it unhealthy.
    """
    return JsonResponse({"status": "alive", "monitoring": _monitoring()})


def readyz(request: HttpRequest) -> HttpResponse:
    """Tell whether database, migrations and broker are as this process needs them."""
    checks = {"database": _database(), "broker": _broker()}
    ready = all(word == "ok" for word in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for loopback, or a token with the scope read of an administrator: all projects."""
    if not _is_loopback(request):
        refused = _refusal(request)
        if refused is not None:
            return plain(request, status_of(refused), refused.code, refused.detail)
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _monitoring() -> dict[str, Any] | None:
    """Return whether monitoring is behind; None while the database cannot be asked."""
    try:
        behind = monitoring_behind(now=clock.now())
    except Error:
        return None
    return {"behind": behind.is_behind, "sentence": behind.sentence}


def _is_loopback(request: HttpRequest) -> bool:
    # Behind a proxy on the same machine every caller looks local; a forwarded request never counts as such.
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _refusal(request: HttpRequest) -> FreshlineError | None:
    secret = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    principal = selectors.principal_of_token(digest_of(secret), now=clock.now())
    if principal is None:
        return Unauthenticated("unauthenticated", "From outside this machine, send a token with scope read.")
    # Metrics name the projects: whoever reads them must be trusted with all.
    return refusal(principal, Access(Scope.READ, Role.ADMIN, installation=True), project=None)


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as wrong:
        return f"unavailable: {type(wrong).__name__}"
    return f"{len(pending)} migrations are not applied: run manage.py migrate" if pending else "ok"


def _broker() -> str:
    try:
        with app.connection_for_write(connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (OperationalError, OSError) as wrong:
        return f"unavailable: {type(wrong).__name__}"
    return "ok"
