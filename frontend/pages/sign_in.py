"""Signing in and out, choosing appearance, and the way from / to one's project."""

from dataclasses import replace

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.accounts.auth import Principal
from controlplane.kernel.errors import NotFound
from frontend.pages import preferences
from frontend.pages.common import LAST_PROJECT, page, safe_next, show
from frontend.readers.shell import known_projects


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Check name and password; the answer never says which of the two was wrong."""
    onward = safe_next(request.POST.get("next") or request.GET.get("next", "/"))
    name = request.POST.get("username", "").strip()
    if request.method == "POST":
        user = authenticate(request, username=name, password=request.POST.get("password", ""))
        if user is not None:
            login(request, user)
            return HttpResponseRedirect(onward)
        error = "This name and password do not go together. Check both and try again."
        return show(request, "sign_in.html", None, status=401, error=error, username=name, next=onward)
    return show(request, "sign_in.html", None, next=onward, username="")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("sign_in")


@require_POST
def save_preferences(request: HttpRequest) -> HttpResponse:
    """Keep what was chosen in the cookie and return to the page."""
    wishes = preferences.read(request.COOKIES.get(preferences.COOKIE, ""))
    chosen = {
        name: request.POST[name]
        for name in preferences.CHOICES
        if request.POST.get(name) in preferences.CHOICES[name]
    }
    response = HttpResponseRedirect(safe_next(request.POST.get("next", "/")))
    response.set_cookie(
        preferences.COOKIE, preferences.write(replace(wishes, **chosen)), max_age=31_536_000, samesite="Lax"
    )
    return response


@page()
def to_project(request: HttpRequest, principal: Principal, *, rest: str = "") -> HttpResponse:
    """Send an address without a project to the same address in the last project."""
    known = known_projects(principal)
    if not known:
        return show(request, "welcome.html", None, principal=principal, active="home")
    last = request.COOKIES.get(LAST_PROJECT, "")
    project = last if last in known else known[0]
    query = request.META.get("QUERY_STRING", "")
    return HttpResponseRedirect(f"/p/{project}/{rest}" + (f"?{query}" if query else ""))


@page()
def unknown(request: HttpRequest, principal: Principal, *, rest: str = "") -> HttpResponse:
    """There is no such page."""
    raise NotFound("not_found", f"There is no page at /{rest}.")
