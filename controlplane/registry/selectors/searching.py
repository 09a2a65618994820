"""What is called so, in any of some projects."""

from collections.abc import Collection

from django.db.models import Q

from controlplane.registry.domain import stored
from controlplane.registry.domain.records import FoundService, FoundView
from controlplane.registry.models import FeatureView
from controlplane.registry.selectors.rows import service_rows


def search_views(projects: Collection[str] | None, text: str, *, limit: int) -> list[FoundView]:
    """Return live views of ``projects`` (None: all) that are called so, then those that say so anywhere.

    Both are cut at ``limit``, so that a search costs the same in a registry of ten thousand views.
    """
    live = FeatureView.objects.filter(retired_at=None, project__retired_at=None).select_related("project")
    if projects is not None:
        live = live.filter(project__name__in=projects)
    called = list(live.filter(name__icontains=text).order_by("name", "project__name")[:limit])
    saying = live.filter(document__icontains=text).exclude(pk__in=[row.pk for row in called])
    rows = [*called, *saying.order_by("name", "project__name")[:limit]]
    return [FoundView(row.project.name, row.name, stored.view(row.document)) for row in rows]


def search_services(projects: Collection[str] | None, text: str, *, limit: int) -> list[FoundService]:
    """Return live feature services of ``projects`` (None: all) that are called so, or their model is."""
    live = service_rows(None).filter(Q(name__icontains=text) | Q(model__icontains=text))
    if projects is not None:
        live = live.filter(project__name__in=projects)
    rows = live.order_by("name", "project__name")[:limit]
    return [FoundService(row.project.name, row.name, row.model) for row in rows]
