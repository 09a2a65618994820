"""A feature view."""

from django.http import HttpRequest, HttpResponse

from controlplane.accounts.auth import Principal
from controlplane.kernel import clock
from frontend.pages.common import number_of, page, show
from frontend.readers.view import read_view


@page()
def view(request: HttpRequest, principal: Principal, *, project: str, name: str) -> HttpResponse:
    """Show one tab; ``from`` and ``to`` ask for two contracts side by side."""
    tab = "contract" if request.GET.get("tab") == "contract" else "overview"
    older, newer = (number_of(request.GET.get(each, ""), 0) or None for each in ("from", "to"))
    record = read_view(project, name, tab=tab, older=older, newer=newer, now=clock.now())
    return show(request, "view.html", record, principal=principal, project=project, active="catalogue")
