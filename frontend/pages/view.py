"""A feature view, and what a person does with it."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from controlplane.accounts.auth import Principal, Role, address_of
from controlplane.ingestion.services import asking
from controlplane.kernel import clock
from controlplane.kernel.errors import Conflict, NotFound, Refused
from controlplane.registry.services.views import set_paused
from frontend.pages.common import back, number_of, page, show
from frontend.readers.ages import RANGES
from frontend.readers.view import Wanted, read_view

TABS = ("overview", "contract", "runs")


@page()
def view(request: HttpRequest, principal: Principal, *, project: str, name: str) -> HttpResponse:
    """Show one tab; ``from`` and ``to`` ask for two contracts side by side, ``range`` for how much time."""
    asked = request.GET
    tab, reach = asked.get("tab", ""), asked.get("range", "")
    wanted = Wanted(
        tab=tab if tab in TABS else "overview",
        older=number_of(asked.get("from", ""), 0) or None,
        newer=number_of(asked.get("to", ""), 0) or None,
        range=reach if reach in RANGES else "",
        may_operate=(principal.role_in(project) or 0) >= Role.OPERATOR,
        readable=principal.readable_projects(),
    )
    record = read_view(project, name, wanted, now=clock.now())
    return show(
        request,
        "view.html",
        record,
        principal=principal,
        project=project,
        active="catalogue",
        ranges=tuple(RANGES),
    )


@require_POST
@page(post_role=Role.OPERATOR)
def view_action(
    request: HttpRequest, principal: Principal, *, project: str, name: str, action: str
) -> HttpResponse:
    """Run a view's batch lane now, or pause and resume the watching of it."""
    if action not in ("run", "pause", "resume"):
        raise NotFound("not_found", f"A feature view cannot be asked to {action}.")
    address, now = reverse("view", kwargs={"project": project, "name": name}), clock.now()
    if action == "run":
        asker = asking.Asker(principal.name, address_of(request))
        try:
            queued = asking.ask_run(project, name, full=False, asker=asker, now=now)
        except (Conflict, Refused) as refused:
            return back(request, address, refused.detail, failed=True)
        led_to = reverse("run", kwargs={"project": project, "id": queued.pk})
        return back(request, led_to, f"Run #{queued.pk} of {name} is queued.")
    paused = action == "pause"
    set_paused(project, name, paused=paused, actor=principal.name, address=address_of(request), now=now)
    told = "paused: nobody is told of it until you resume" if paused else "resumed"
    return back(request, address, f"Monitoring of {name} is {told}.")
