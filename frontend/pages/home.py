"""Home."""

from django.http import HttpRequest, HttpResponse

from controlplane.accounts.auth import Principal
from controlplane.kernel import clock
from frontend.pages.common import page, show
from frontend.readers.home import read_home

_SCOPES = ("mine", "team", "all")


@page()
def home(request: HttpRequest, principal: Principal, *, project: str) -> HttpResponse:
    """Show the project: all of it, or only the views of the person or of their teams."""
    asked = request.GET.get("scope", "")
    scope = asked if asked in _SCOPES else "all"
    record = read_home(project, principal, scope=scope, now=clock.now())
    return show(request, "home.html", record, principal=principal, project=project, active="home")
