"""Every address."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from controlplane.accounts.api import urlpatterns as accounts_urls
from controlplane.ingestion.api import urlpatterns as ingestion_urls
from controlplane.observations.api import urlpatterns as observations_urls
from controlplane.project import operations
from controlplane.registry.api import urlpatterns as registry_urls
from controlplane.rest.problems import plain
from frontend.api import urlpatterns as search_urls
from frontend.urls import urlpatterns as frontend_urls
from lineage.api import urlpatterns as lineage_urls
from monitors.api import urlpatterns as monitors_urls


@csrf_exempt  # nothing is done here, and who sends a token has no other
def unknown_api(request: HttpRequest) -> HttpResponse:
    """Answer addresses under /api that do not exist with a problem, not a page."""
    return plain(request, 404, "not_found", "There is nothing at this address.")


urlpatterns = [
    path("healthz", operations.healthz),
    path("readyz", operations.readyz),
    path("metrics", operations.metrics),
    path(
        "api/v1/schema",
        SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]),
        name="schema",
    ),
    path(
        "api/v1/docs",
        # Its script comes by an address of its own: the content security policy lets no inline script run.
        SpectacularSwaggerSplitView.as_view(
            url_name="schema",
            template_name="frontend/api_docs.html",
            authentication_classes=[],
            permission_classes=[],
        ),
    ),
    path(
        "api/v1/",
        include(
            [
                *accounts_urls,
                *registry_urls,
                *observations_urls,
                *ingestion_urls,
                *lineage_urls,
                *monitors_urls,
                *search_urls,
            ]
        ),
    ),
    re_path(r"^api/", unknown_api),
    *frontend_urls,
]
handler403 = "frontend.pages.errors.forbidden"
handler404 = "frontend.pages.errors.not_found"
handler500 = "frontend.pages.errors.broken"
