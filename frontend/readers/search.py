"""The search over everything that a caller may read: views, their features, services, incidents, owners."""

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import islice
from urllib.parse import quote, urlencode

from django.urls import NoReverseMatch, reverse

from controlplane.registry import selectors as registry
from controlplane.registry.selectors import FoundView
from frontend.records.search import Found
from frontend.states import look
from monitors.selectors.health import states_of
from monitors.selectors.incidents import search_incidents

Projects = frozenset[str] | None


def read_search(query: str, *, projects: Projects, limit: int, now: datetime) -> tuple[Found, ...]:
    """Return what matches ``query`` in ``projects`` (None: all), at most ``limit`` of each section."""
    text = query.strip()
    if not text or projects == frozenset():
        return ()
    views = registry.search_views(projects, text, limit=limit)
    return (
        *islice(_views(views, text, now=now), limit),
        *islice(_features(views, text), limit),
        *_services(projects, text, limit=limit),
        *_incidents(projects, text, limit=limit),
        *islice(_owners(views, text), limit),
    )


def _views(views: Collection[FoundView], text: str, *, now: datetime) -> Iterator[Found]:
    """Views that are called so or described so; what only their features say leads to these."""
    named = [each for each in views if _says(text, each.name, each.view.description, *each.view.tags)]
    named.sort(key=lambda each: _rank(text, each.name))
    states = states_of([(each.project, each.name) for each in named], now=now)
    for each in named:
        state = look(states.get((each.project, each.name), "no_data")).word.lower()
        yield Found("Feature views", each.name, f"{each.project}, {state}", _view_at(each))


def _features(views: Collection[FoundView], text: str) -> Iterator[Found]:
    features = [
        (each, feature) for each in views for feature in each.view.features if _says(text, feature.name)
    ]
    features.sort(key=lambda pair: _rank(text, pair[1].name))
    for each, feature in features:
        address = f"{_view_at(each)}?tab=contract#{quote(feature.name)}"
        detail = f"{each.project}, {each.name}, {feature.dtype.value}"
        yield Found("Features", feature.name, detail, address)


def _services(projects: Projects, text: str, *, limit: int) -> Iterator[Found]:
    for each in registry.search_services(projects, text, limit=limit):
        node = urlencode({"focus": f"service:{each.project}/{each.name}"})
        address = f"{reverse('lineage', kwargs={'project': each.project})}?{node}"
        detail = f"{each.project}, feeds {each.model}" if each.model else each.project
        yield Found("Feature services", each.name, detail, address)


def _incidents(projects: Projects, text: str, *, limit: int) -> Iterator[Found]:
    for each in search_incidents(projects, text, limit=limit):
        try:
            address = reverse("incident", kwargs={"project": each.project, "number": each.number})
        except NoReverseMatch:  # as in templates: what has no page is not linked
            return
        label = f"INC-{each.number} {each.title}"
        yield Found("Incidents", label, f"{each.project}, {look(each.state).word.lower()}", address)


def _owners(views: Collection[FoundView], text: str) -> Iterator[Found]:
    owners = {(each.project, each.view.owner or "") for each in views if _says(text, each.view.owner or "")}
    for project, owner in sorted(owners):
        address = f"{reverse('catalogue', kwargs={'project': project})}?{urlencode({'owner': owner})}"
        yield Found("Owners", owner, f"{project}, what it owns", address)


def _says(text: str, *told: str) -> bool:
    return any(text.lower() in each.lower() for each in told)


def _rank(text: str, name: str) -> tuple[bool, str]:
    """Names that begin so come first."""
    return (not name.lower().startswith(text.lower()), name)


def _view_at(found: FoundView) -> str:
    return reverse("view", kwargs={"project": found.project, "name": found.name})
