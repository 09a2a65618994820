"""Every case at /gallery/<name>, and every named address answering something."""

import json
from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path

from controlplane.kernel import clock
from tests.frontend import story
from tests.frontend.cases import CASES, CONTEXT


def gallery(request: HttpRequest, name: str) -> HttpResponse:
    case = CASES[name]
    context = {"page": case.page, "shell": case.shell, "active": case.active, **CONTEXT, **case.extra}
    with clock.fixed(story.NOW):
        return render(request, f"frontend/{case.template}", context)


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<br>".join(f'<a href="/gallery/{name}">{name}</a>' for name in CASES))


def nothing(request: HttpRequest, **parts: object) -> HttpResponse:
    return HttpResponse("<title>there</title>")


def graph(request: HttpRequest) -> JsonResponse:
    name = "graph-far" if request.GET["node"] != "view:flights/hourly_weather" else "graph"
    if request.GET.get("trace"):
        name = "graph-trace"
    return JsonResponse(json.loads((Path(__file__).parent / f"{name}.json").read_text()))


def search(request: HttpRequest) -> JsonResponse:
    query = request.GET["q"]
    found = [
        {
            "section": "Feature views",
            "label": name,
            "detail": "flights, stale 42 min",
            "url": f"/p/flights/features/{name}",
        }
        for name in ("hourly_weather", "weather_by_airport")
        if query in name
    ]
    return JsonResponse({"items": found})


def names() -> list:
    at = "p/<str:project>/"
    plain = {
        "home": at,
        "catalogue": at + "features",
        "view": at + "features/<str:name>",
        "view_action": at + "features/<str:name>/<str:action>",
        "run_list": at + "runs",
        "run": at + "runs/<int:id>",
        "run_action": at + "runs/<int:id>/<str:action>",
        "incident_list": at + "incidents",
        "incident": at + "incidents/INC-<int:number>",
        "incident_action": at + "incidents/INC-<int:number>/<str:action>",
        "lineage": at + "lineage",
        "playground": at + "playground",
        "channels": "settings/channels",
        "channel_action": "settings/channels/<int:id>/<str:action>",
        "silences": "settings/silences",
        "silence_action": "settings/silences/<int:id>/<str:action>",
        "tokens": "settings/tokens",
        "token_action": "settings/tokens/<int:id>/<str:action>",
        "system": "settings/system",
        "audit": "audit",
        "error_codes": "docs/errors",
        "sign_in": "sign-in",
        "sign_out": "sign-out",
        "preferences": "preferences",
    }
    return [path(route, nothing, name=name) for name, route in plain.items()]


urlpatterns = [
    path("gallery/", index),
    path("gallery/<str:name>", gallery),
    path("api/v1/lineage/graph", graph),
    path("api/v1/search", search),
    *names(),
]
