"""The single objects of a definition: lists, one whole, PUT and DELETE by the rules of apply."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope
from controlplane.kernel import clock
from controlplane.registry import selectors
from controlplane.registry.api import reading, rendering
from controlplane.registry.domain import kinds
from controlplane.registry.domain.kinds import Defined, Kind
from controlplane.registry.services.objects import digest_of, put_object, retire_object
from controlplane.rest.pagination import paginate
from controlplane.rest.parsers import TextParser

_SEARCH = OpenApiParameter("q", str, description="Part of the name, the owner or anything in the definition.")
_OWNER = OpenApiParameter("owner", str, description="The owning team.")


class ListView(ApiView):
    """Base of the four lists."""

    access = {"GET": Access(Scope.READ)}
    rows: ClassVar[Callable[[str], QuerySet[Any]]]
    render: ClassVar[Callable[[Any], dict[str, Any]]]
    # Query parameter -> look-up in the table; "{}" stands for what was asked.
    filters: ClassVar[dict[str, tuple[str, str]]] = {"owner": ("owner", "{}")}

    def _list(self, request: ApiRequest, project: str) -> Response:
        kind = type(self)
        rows = kind.rows(project)
        asked = request.query_params.get("q")
        if asked:
            rows = rows.filter(Q(name__icontains=asked) | Q(document__icontains=asked))
        for parameter, (column, shape) in self.filters.items():
            for value in request.query_params.getlist(parameter):
                rows = rows.filter(**{column: shape.format(value)})
        return paginate(request, rows, key="name", render=kind.render)


class ObjectView(ApiView):
    """Base of the four single objects."""

    access = {
        "GET": Access(Scope.READ),
        "PUT": Access(Scope.REGISTER, Role.EDITOR),
        "DELETE": Access(Scope.REGISTER, Role.EDITOR),
    }
    parser_classes = [TextParser]
    kind: ClassVar[Kind]

    def _put(self, request: ApiRequest, project: str, name: str) -> Response:
        done = put_object(
            project,
            self.kind,
            name,
            reading.read_document(request),
            author=reading.read_author(request, project),
            now=clock.now(),
            expected=reading.read_expected(request),
            conditions=reading.read_conditions(request),
        )
        stored = self.kind.find(done.plan.after, name)
        is_new = self.kind.find(done.plan.before, name) is None
        headers = reading.etag(digest_of(stored)) if stored else {}
        return Response(rendering.applied(done), status=201 if is_new else 200, headers=headers)

    def _delete(self, request: ApiRequest, project: str, name: str) -> Response:
        done = retire_object(
            project,
            self.kind,
            name,
            author=reading.read_author(request, project),
            now=clock.now(),
            expected=reading.read_expected(request),
        )
        return Response(rendering.applied(done))


def _answer(defined: Defined, document: dict[str, Any]) -> Response:
    return Response(document, headers=reading.etag(digest_of(defined)))


def _put_schema(words: str) -> Callable[..., Any]:
    return extend_schema(
        summary=f"Register or change one {words}",
        request=reading.DEFINITION_BODIES,
        parameters=[reading.IF_MATCH, reading.IF_NONE_MATCH, *reading.FORCE],
        responses={200: dict, 201: dict},
    )


def _delete_schema(words: str) -> Callable[..., Any]:
    return extend_schema(
        summary=f"Retire one {words}; what still names it answers 409 with the list",
        parameters=[reading.IF_MATCH],
        responses={200: dict},
    )


class EntitiesView(ListView):
    """Entities of a project."""

    rows = selectors.entity_rows
    render = rendering.entity

    @extend_schema(
        operation_id="entities_list",
        summary="List entities",
        parameters=[_SEARCH, _OWNER],
        responses={200: dict},
    )
    def get(self, request: ApiRequest, project: str) -> Response:
        return self._list(request, project)


class EntityView(ObjectView):
    """One entity."""

    kind = kinds.ENTITY

    @extend_schema(summary="One entity, with the views that have it", responses={200: dict})
    def get(self, request: ApiRequest, project: str, name: str) -> Response:
        entity = selectors.find_entity(project, name)
        views = rendering.users_of("entity", project, name)
        return _answer(entity, {**entity.to_document(), "project": project, "feature_views": views})

    @_put_schema("entity")
    def put(self, request: ApiRequest, project: str, name: str) -> Response:
        return self._put(request, project, name)

    @_delete_schema("entity")
    def delete(self, request: ApiRequest, project: str, name: str) -> Response:
        return self._delete(request, project, name)


class SourcesView(ListView):
    """Sources of a project."""

    rows = selectors.source_rows
    render = rendering.source
    filters = {**ListView.filters, "kind": ("kind", "{}"), "connection": ("connection", "{}")}

    @extend_schema(
        operation_id="sources_list",
        summary="List sources",
        parameters=[_SEARCH, _OWNER, OpenApiParameter("kind", str), OpenApiParameter("connection", str)],
        responses={200: dict},
    )
    def get(self, request: ApiRequest, project: str) -> Response:
        return self._list(request, project)


class SourceView(ObjectView):
    """One source."""

    kind = kinds.SOURCE

    @extend_schema(summary="One source, with the views that read it", responses={200: dict})
    def get(self, request: ApiRequest, project: str, name: str) -> Response:
        source = selectors.find_source(project, name)
        views = rendering.users_of("source", project, name)
        return _answer(source, {**source.to_document(), "project": project, "feature_views": views})

    @_put_schema("source")
    def put(self, request: ApiRequest, project: str, name: str) -> Response:
        return self._put(request, project, name)

    @_delete_schema("source")
    def delete(self, request: ApiRequest, project: str, name: str) -> Response:
        return self._delete(request, project, name)


class FeatureViewsView(ListView):
    """Feature views of a project."""

    rows = selectors.view_rows
    render = rendering.view_in_list
    filters = {
        **ListView.filters,
        "tier": ("tier", "{}"),
        "entity": ("labels__contains", "\nentity:{}\n"),
        "source": ("labels__contains", "\nsource:{}\n"),
        "lane": ("labels__contains", "\nlane:{}\n"),
        "tag": ("labels__contains", "\ntag:{}\n"),
    }

    @extend_schema(
        operation_id="feature_views_list",
        summary="List feature views",
        parameters=[
            _SEARCH,
            _OWNER,
            OpenApiParameter("tier", str, enum=["gold", "silver", "bronze"]),
            OpenApiParameter("entity", str),
            OpenApiParameter("source", str),
            OpenApiParameter("lane", str, enum=["batch", "stream", "direct"]),
            OpenApiParameter("tag", str, description="`name:value`; several must all be there."),
        ],
        responses={200: dict},
    )
    def get(self, request: ApiRequest, project: str) -> Response:
        return self._list(request, project)


class FeatureViewView(ObjectView):
    """One feature view."""

    kind = kinds.FEATURE_VIEW

    @extend_schema(summary="One feature view, with its numbers and readers", responses={200: dict})
    def get(self, request: ApiRequest, project: str, name: str) -> Response:
        record = selectors.find_view(project, name)
        return _answer(record.view, rendering.view(record))

    @_put_schema("feature view")
    def put(self, request: ApiRequest, project: str, name: str) -> Response:
        return self._put(request, project, name)

    @_delete_schema("feature view")
    def delete(self, request: ApiRequest, project: str, name: str) -> Response:
        return self._delete(request, project, name)


class FeatureServicesView(ListView):
    """Feature services of a project."""

    rows = selectors.service_rows
    render = rendering.service
    filters = {**ListView.filters, "model": ("model", "{}")}

    @extend_schema(
        operation_id="feature_services_list",
        summary="List feature services",
        parameters=[_SEARCH, _OWNER, OpenApiParameter("model", str)],
        responses={200: dict},
    )
    def get(self, request: ApiRequest, project: str) -> Response:
        return self._list(request, project)


class FeatureServiceView(ObjectView):
    """One feature service."""

    kind = kinds.FEATURE_SERVICE

    @extend_schema(summary="One feature service", responses={200: dict})
    def get(self, request: ApiRequest, project: str, name: str) -> Response:
        record = selectors.find_service(project, name)
        return _answer(record.service, rendering.one_service(record))

    @_put_schema("feature service")
    def put(self, request: ApiRequest, project: str, name: str) -> Response:
        return self._put(request, project, name)

    @_delete_schema("feature service")
    def delete(self, request: ApiRequest, project: str, name: str) -> Response:
        return self._delete(request, project, name)


_PROJECT = "projects/<str:project>"
urlpatterns = [
    path(f"{_PROJECT}/entities", EntitiesView.as_view()),
    path(f"{_PROJECT}/entities/<str:name>", EntityView.as_view()),
    path(f"{_PROJECT}/sources", SourcesView.as_view()),
    path(f"{_PROJECT}/sources/<str:name>", SourceView.as_view()),
    path(f"{_PROJECT}/feature-views", FeatureViewsView.as_view()),
    path(f"{_PROJECT}/feature-views/<str:name>", FeatureViewView.as_view()),
    path(f"{_PROJECT}/feature-services", FeatureServicesView.as_view()),
    path(f"{_PROJECT}/feature-services/<str:name>", FeatureServiceView.as_view()),
]
