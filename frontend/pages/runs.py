"""Ingestion runs: the list, one run, and what a person does with it."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from controlplane.accounts.auth import Principal, Role, address_of
from controlplane.ingestion import selectors as ingestion
from controlplane.ingestion.services import asking
from controlplane.kernel import clock
from controlplane.kernel.errors import Conflict, NotFound
from frontend.pages.common import back, number_of, page, show
from frontend.readers import runs as reader
from frontend.states import RUNS
from store_adapters import Lane

# What can be asked for; hollow is told of a run that succeeded, and is no state of its own.
STATES = tuple((state, look) for state, look in RUNS.items() if state != "hollow")
LANES = tuple(lane.value for lane in Lane)


@page()
def run_list(request: HttpRequest, principal: Principal, *, project: str) -> HttpResponse:
    """List runs, filtered by the address; an unknown state or lane counts as none."""
    asked = request.GET
    state, lane = asked.get("state", ""), asked.get("lane", "")
    record = reader.read_run_list(
        project,
        state=state if state in dict(STATES) else "",
        lane=lane if lane in LANES else "",
        view=asked.get("view", "").strip()[:63],
        before=number_of(asked.get("after", ""), 0) or None,
        now=clock.now(),
    )
    return show(
        request,
        "run_list.html",
        record,
        principal=principal,
        project=project,
        active="runs",
        run_states=STATES,
        lanes=LANES,
    )


@page()
def run(request: HttpRequest, principal: Principal, *, project: str, id: int) -> HttpResponse:
    """Show one run."""
    may_operate = (principal.role_in(project) or 0) >= Role.OPERATOR
    record = reader.read_run(project, id, may_operate=may_operate, now=clock.now())
    return show(request, "run.html", record, principal=principal, project=project, active="runs")


@require_POST
@page(post_role=Role.OPERATOR)
def run_action(
    request: HttpRequest, principal: Principal, *, project: str, id: int, action: str
) -> HttpResponse:
    """Cancel, release or retry a run. What its state does not allow is told on its page."""
    if action not in ("cancel", "release", "retry"):
        raise NotFound("not_found", f"A run cannot be asked to {action}.")
    reader.find_run(project, id)
    row, now = ingestion.get_run(id), clock.now()
    asker = asking.Asker(principal.name, address_of(request))
    led_to, told = id, f"Run #{id} may go on."
    try:
        if action == "retry":
            over_gap = "skip_gap" in request.POST
            led_to = asking.ask_retry(row, over_gap=over_gap, asker=asker, now=now).pk
            told = f"Run #{led_to} is queued."
        elif action == "cancel":
            asking.ask_end(row, asker=asker, now=now)
            told = f"Run #{id} was asked to stop; what is at work stops at its next look."
        else:
            asking.ask_release(row, asker=asker, now=now)
    except Conflict as conflict:
        return back(request, _address(project, id), conflict.detail, failed=True)
    return back(request, _address(project, led_to), told)


def _address(project: str, run_id: int) -> str:
    return reverse("run", kwargs={"project": project, "id": run_id})
