"""The installation itself."""

from django.http import HttpRequest, HttpResponse

from controlplane.accounts.auth import Principal
from controlplane.kernel import clock
from frontend.pages.common import page, show
from frontend.readers.settings import read_system


@page()
def system(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show the parts, the serving processes and the facts of the installation."""
    record = read_system(now=clock.now())
    return show(request, "system.html", record, principal=principal, active="system")
