"""The audit log."""

from django.http import HttpRequest, HttpResponse

from controlplane.accounts.auth import Principal, Role
from controlplane.kernel.errors import Forbidden
from frontend.pages.common import number_of, page, show
from frontend.readers.settings import read_audit


@page()
def audit(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show who did what, in the projects that the person administers."""
    if (principal.highest_role() or 0) < Role.ADMIN:
        raise Forbidden("forbidden", "The audit log needs the role 'admin' in a project.")
    record = read_audit(
        principal,
        actor=request.GET.get("actor", "").strip()[:120],
        action=request.GET.get("action", "").strip()[:40],
        before=number_of(request.GET.get("after", ""), 0) or None,
    )
    return show(request, "audit.html", record, principal=principal, active="audit")
