"""The lineage explorer."""

from django.http import HttpRequest, HttpResponse

from controlplane.accounts.auth import Principal
from controlplane.kernel import clock
from frontend.pages.common import page, show
from frontend.readers.lineage import read_around, read_starts


@page()
def lineage(request: HttpRequest, principal: Principal, *, project: str) -> HttpResponse:
    """Show what surrounds a node, or where to start."""
    focus = request.GET.get("focus", "")
    if focus:
        mode = "table" if request.GET.get("view") == "table" else "graph"
        trace = request.GET.get("trace") == "cause"
        readable = principal.readable_projects()
        record = read_around(project, focus, mode=mode, trace=trace, readable=readable, now=clock.now())
    else:
        record = read_starts(project, request.GET.get("q", "").strip()[:200], now=clock.now())
    return show(request, "lineage.html", record, principal=principal, project=project, active="lineage")
