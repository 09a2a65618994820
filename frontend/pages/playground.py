"""The lookup playground."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from controlplane.accounts.auth import Principal, Role
from frontend.pages.common import page, show
from frontend.readers.playground import Form, read_playground


@sensitive_post_parameters("token")
@require_http_methods(["GET", "HEAD", "POST"])
@page(post_role=Role.OPERATOR)
def playground(request: HttpRequest, principal: Principal, *, project: str) -> HttpResponse:
    """Show the form; a POST looks up. Values of features are for operators."""
    filled = request.POST if request.method == "POST" else request.GET
    form = Form(
        target=filled.get("target", ""),
        features=tuple(filled.getlist("feature")),
        keys=filled.get("keys", "")[:10_000],
        token=request.POST.get("token", "").strip()[:200],
    )
    record = read_playground(
        project,
        form,
        may_lookup=(principal.role_in(project) or 0) >= Role.OPERATOR,
        send=request.method == "POST" and "choose" not in request.POST,
    )
    response = show(
        request, "playground.html", record, principal=principal, project=project, active="playground"
    )
    if request.method == "POST":
        response["Cache-Control"] = "no-store"
    return response
