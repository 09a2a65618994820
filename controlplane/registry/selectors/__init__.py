"""Reads of the registry: live definitions, parsed and whole. What is retired is not found here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import F, OuterRef, Q, Subquery

from controlplane.contracts.model import Definition, Source
from controlplane.contracts.model import Entity as EntityDefinition
from controlplane.kernel.errors import NotFound
from controlplane.kernel.names import DEFAULT_STORE
from controlplane.kernel.secrets import unseal
from controlplane.registry.domain import canonical, stored
from controlplane.registry.domain.records import (
    GONE_AFTER,
    BundleRecord,
    ContractRecord,
    FoundService,
    FoundView,
    KeyedView,
    ProjectRecord,
    PurgeDue,
    ServiceRecord,
    ServingInstance,
    ViewRecord,
    ViewSummary,
)
from controlplane.registry.models import (
    Bundle,
    Connection,
    Contract,
    Entity,
    FeatureService,
    FeatureView,
    Layout,
    Project,
    Registry,
    ServingAcknowledgement,
)
from controlplane.registry.selectors.rows import (
    connection_rows,
    entity_rows,
    project_rows,
    service_rows,
    source_rows,
    view_rows,
)
from controlplane.registry.selectors.searching import search_services, search_views

__all__ = [
    "GONE_AFTER",
    "BundleRecord",
    "ContractRecord",
    "FoundService",
    "FoundView",
    "KeyedView",
    "ProjectRecord",
    "PurgeDue",
    "ServiceRecord",
    "ServingInstance",
    "ViewRecord",
    "ViewSummary",
    "connection_names",
    "connection_rows",
    "connection_url",
    "current_bundle",
    "entity_rows",
    "find_contract",
    "find_definition",
    "find_entity",
    "find_keyed_view",
    "find_service",
    "find_source",
    "find_view",
    "list_contracts",
    "list_entities",
    "list_projects",
    "list_services",
    "list_sources",
    "list_summaries",
    "list_views",
    "project_exists",
    "project_rows",
    "registry_id",
    "search_services",
    "search_views",
    "service_rows",
    "services_reading_each",
    "serving_instances",
    "source_rows",
    "stores_by_project",
    "view_rows",
    "views_awaiting_purge",
    "views_to_purge",
]

_Readers = Mapping[tuple[int, str], list[ServiceRecord]]


def list_projects() -> list[ProjectRecord]:
    """Return the live projects by name."""
    rows = Project.objects.filter(retired_at=None).order_by("name")
    return [
        ProjectRecord(row.name, row.created_at, row.created_by, row.changed_at, row.store) for row in rows
    ]


def project_exists(project: str) -> bool:
    """Whether there is a live project of that name."""
    return Project.objects.filter(name=project, retired_at=None).exists()


def stores_by_project() -> dict[str, str]:
    """Return the name of the store of every project, retired ones too: their rows may still be there."""
    return dict(Project.objects.values_list("name", "store"))


def find_view(project: str, name: str) -> ViewRecord:
    """Return a live view; ``NotFound`` when there is none."""
    row = view_rows(project).filter(name=name).first()
    if row is None:
        raise NotFound("not_found", f"There is no feature view {name!r} in project {project!r}.")
    return _view_records([row])[0]


def list_views(project: str | None = None) -> list[ViewRecord]:
    """Return the live views of ``project``, or of all projects, by project and name."""
    return _view_records(view_rows(project).order_by("project__name", "name"))


def list_summaries(project: str) -> list[ViewSummary]:
    """Return the live views of ``project`` by name, without keys and layouts: what lists of them need."""
    rows = list(view_rows(project).order_by("name"))
    readers = _readers({row.project_id for row in rows}, {row.name for row in rows})
    return [_summary(row, readers) for row in rows]


def find_keyed_view(project: str, name: str) -> KeyedView:
    """Return a live view with its keys, which its contract names too; ``NotFound`` when there is none."""
    contract = Contract.objects.filter(view=OuterRef("pk"), number=OuterRef("contract_number"))
    rows = view_rows(project).annotate(contract=Subquery(contract.values("document")[:1]))
    row = rows.filter(name=name).first()
    if row is None:
        raise NotFound("not_found", f"There is no feature view {name!r} in project {project!r}.")
    summary = _summary(row, _readers({row.project_id}, {row.name}))
    keys = canonical.load(row.contract)["join_keys"]
    return KeyedView(**_fields(summary), join_keys=stored.keys(keys))


def find_service(project: str, name: str) -> ServiceRecord:
    """Return a live feature service; ``NotFound`` when there is none."""
    row = service_rows(project).filter(name=name).first()
    if row is None:
        raise NotFound("not_found", f"There is no feature service {name!r} in project {project!r}.")
    return _service_record(row)


def list_services(project: str | None = None) -> list[ServiceRecord]:
    """Return the live feature services of ``project``, or of all projects, by project and name."""
    return [_service_record(row) for row in service_rows(project).order_by("project__name", "name")]


def services_reading_each(project: str, views: Iterable[str]) -> dict[str, list[ServiceRecord]]:
    """Return for each of ``views`` the live services that name any feature of it, by name, in one query."""
    uses = Q(uses__project__name=project, uses__view__in=list(views))
    found: dict[str, list[ServiceRecord]] = defaultdict(list)
    for row in service_rows(None).filter(uses).annotate(read=F("uses__view")).distinct().order_by("name"):
        found[row.read].append(_service_record(row))
    return dict(found)


def find_source(project: str, name: str) -> Source:
    """Return a live source; ``NotFound`` when there is none."""
    row = source_rows(project).filter(name=name).first()
    if row is None:
        raise NotFound("not_found", f"There is no source {name!r} in project {project!r}.")
    return stored.source(row.document)


def list_sources(project: str) -> list[Source]:
    """Return the live sources by name."""
    return [stored.source(row.document) for row in source_rows(project).order_by("name")]


def find_entity(project: str, name: str) -> EntityDefinition:
    """Return a live entity; ``NotFound`` when there is none."""
    row = entity_rows(project).filter(name=name).first()
    if row is None:
        raise NotFound("not_found", f"There is no entity {name!r} in project {project!r}.")
    return stored.entity(row.document)


def list_entities(project: str) -> list[EntityDefinition]:
    """Return the live entities by name."""
    return [stored.entity(row.document) for row in entity_rows(project).order_by("name")]


def find_definition(project: str) -> Definition:
    """Return the whole live definition of ``project`` (empty when there is no such project), by name."""
    store = Project.objects.filter(name=project, retired_at=None).values_list("store", flat=True).first()
    return Definition(
        project=project,
        store=None if store == DEFAULT_STORE else store,
        entities=tuple(list_entities(project)),
        sources=tuple(list_sources(project)),
        feature_views=tuple(stored.view(row.document) for row in view_rows(project).order_by("name")),
        feature_services=tuple(
            stored.service(row.document) for row in service_rows(project).order_by("name")
        ),
    )


def list_contracts(project: str, view: str) -> list[ContractRecord]:
    """Return every contract of a view, retired ones included, the newest first; ``NotFound`` without any."""
    rows = Contract.objects.filter(view__project__name=project, view__name=view).order_by("-number")
    found = [_contract_record(row) for row in rows]
    if not found:
        raise NotFound("not_found", f"There never was a feature view {view!r} in project {project!r}.")
    return found


def find_contract(project: str, view: str, number: int) -> ContractRecord:
    """Return one version of a view's contract; ``NotFound`` when there is none."""
    row = Contract.objects.filter(view__project__name=project, view__name=view, number=number).first()
    if row is None:
        raise NotFound("not_found", f"There is no contract {number} of {project}/{view}.")
    return _contract_record(row)


def current_bundle() -> BundleRecord:
    """Return the newest bundle; ``NotFound`` before the first."""
    row = Bundle.objects.order_by("-number").first()
    if row is None:
        raise NotFound("not_found", "No bundle was built yet.")
    return BundleRecord(row.number, row.digest, bytes(row.body))


def current_bundle_digest() -> str:
    """Return the digest of the newest bundle, empty before the first: one read of one row."""
    return Registry.objects.values_list("bundle_digest", flat=True).first() or ""


def registry_id() -> str:
    """Return the installation's registry id; ``NotFound`` before the first bundle."""
    found = Registry.objects.values_list("uuid", flat=True).first()
    if found is None:
        raise NotFound("not_found", "Nothing was registered yet.")
    return str(found)


def connection_url(name: str) -> str:
    """Return the connection's URL with its secrets; ``NotFound``, or ``Unavailable`` when no key opens it."""
    row = Connection.objects.filter(name=name).first()
    if row is None:
        raise NotFound("not_found", f"There is no connection {name!r}.")
    return unseal(row.sealed_url, keys=settings.FRESHLINE_SECRET_KEYS, context=f"connection:{name}")


def connection_names() -> frozenset[str]:
    """Return the names of all connections."""
    return frozenset(Connection.objects.values_list("name", flat=True))


def views_to_purge(*, now: datetime) -> list[PurgeDue]:
    """Return the views whose rows must leave a store, the longest due first."""
    due = FeatureView.objects.filter(purge_due_at__lte=now).select_related("project")
    return [
        PurgeDue(
            view_id=row.pk,
            project=row.project.name,
            store=row.purge_store or row.project.store,
            name=row.name,
            due_at=row.purge_due_at,
            is_live=row.retired_at is None,
        )
        for row in due.order_by("purge_due_at")
        if row.purge_due_at
    ]


def views_awaiting_purge() -> frozenset[int]:
    """Return the ids of the views that have rows in a store which must leave it."""
    return frozenset(FeatureView.objects.exclude(purge_due_at=None).values_list("pk", flat=True))


def serving_instances(*, since: datetime) -> list[ServingInstance]:
    """Return the serving processes that were heard of since then, by name."""
    rows = ServingAcknowledgement.objects.filter(heard_at__gte=since).order_by("instance")
    return [
        ServingInstance(
            instance=row.instance,
            bundle_number=row.number,
            bundle_digest=row.digest,
            loaded_at=row.loaded_at,
            heard_at=row.heard_at,
            build=row.build,
            refused_digest=row.refused_digest,
            refused_reason=row.refused_reason,
        )
        for row in rows
    ]


def find_connection(connection_id: int) -> Connection:
    """Return a connection; ``NotFound`` when there is none."""
    row = Connection.objects.filter(pk=connection_id).first()
    if row is None:
        raise NotFound("not_found", f"There is no connection {connection_id}.")
    return row


def _view_records(rows: Iterable[FeatureView]) -> list[ViewRecord]:
    """Parse views with what belongs to them, in as many queries for one as for all."""
    rows = list(rows)
    projects = {row.project_id for row in rows}
    layouts: dict[int, dict[int, str]] = defaultdict(dict)
    for layout in Layout.objects.filter(view__in=rows):
        layouts[layout.view_id][layout.number] = layout.columns
    entities = {
        (row.project_id, row.name): stored.entity(row.document)
        for row in Entity.objects.filter(project__in=projects, retired_at=None)
    }
    readers = _readers(projects, {row.name for row in rows})
    records = []
    for row in rows:
        summary = _summary(row, readers)
        of_view = {number: stored.layout(number, columns) for number, columns in layouts[row.pk].items()}
        records.append(
            ViewRecord(
                awaits_purge=row.purge_due_at is not None,
                **_fields(summary),
                join_keys=stored.join_keys(
                    [entities[row.project_id, name] for name in summary.view.entities]
                ),
                layout=of_view[row.layout_number],
                layouts=of_view,
            )
        )
    return records


def _summary(row: FeatureView, readers: _Readers) -> ViewSummary:
    return ViewSummary(
        id=row.pk,
        project=row.project.name,
        store=row.project.store,
        name=row.name,
        contract_number=row.contract_number,
        view=stored.view(row.document),
        readers=tuple(readers.get((row.project_id, row.name), ())),
        created_at=row.created_at,
        changed_at=row.changed_at,
        paused=row.paused,
    )


def _fields(summary: ViewSummary) -> dict[str, Any]:
    return {field.name: getattr(summary, field.name) for field in fields(summary)}


def _readers(projects: Iterable[int], views: set[str]) -> _Readers:
    rows = service_rows(None).filter(project__in=projects)
    if len(views) == 1:
        rows = rows.filter(uses__view__in=views).distinct()
    found: dict[tuple[int, str], list[ServiceRecord]] = defaultdict(list)
    for row in rows.order_by("name"):
        record = _service_record(row)
        for view in dict.fromkeys(ref.view for ref in record.service.features):
            found[row.project_id, view].append(record)
    return found


def _service_record(row: FeatureService) -> ServiceRecord:
    return ServiceRecord(
        id=row.pk,
        project=row.project.name,
        name=row.name,
        service=stored.service(row.document),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _contract_record(row: Contract) -> ContractRecord:
    return ContractRecord(
        number=row.number,
        layout_number=row.layout_number,
        document=canonical.load(row.document),
        digest=row.digest,
        created_at=row.created_at,
        created_by=row.created_by,
    )
