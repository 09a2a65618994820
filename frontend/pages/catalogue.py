"""The catalogue."""

from django.http import HttpRequest, HttpResponse

from controlplane.accounts.auth import Principal
from controlplane.kernel import clock
from frontend.pages.common import number_of, page, show
from frontend.readers.catalogue import Wanted, read_catalogue
from frontend.states import HEALTH


@page()
def catalogue(request: HttpRequest, principal: Principal, *, project: str) -> HttpResponse:
    """List views or features, filtered by the address."""
    asked = request.GET
    wanted = Wanted(
        query=asked.get("q", "").strip()[:200],
        kind="features" if asked.get("kind") == "features" else "views",
        state=asked.get("state", ""),
        owner=asked.get("owner", ""),
        sort=asked.get("sort", ""),
        first=max(1, number_of(asked.get("after", ""), 1)),
    )
    record = read_catalogue(project, wanted, now=clock.now())
    return show(
        request,
        "catalogue.html",
        record,
        principal=principal,
        project=project,
        active="catalogue",
        healths=tuple(HEALTH.items()),
    )
