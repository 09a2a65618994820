"""Keep the graph in step with the registry: sources, views, services and models, and what feeds what."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.conf import settings
from django.db import transaction

from controlplane.contracts.model import FeatureView, Source
from controlplane.contracts.naming import dataset_of
from controlplane.registry import selectors as registry
from lineage.domain import naming
from lineage.domain.naming import Kind, NodeRef
from lineage.models import Edge, Node
from lineage.services.projection import ensure_nodes

Pair = tuple[NodeRef, NodeRef]


def sync_registry(*, now: datetime) -> int:
    """Declare in the graph what the registry holds, retire what it no longer does; returns edges changed."""
    changed = 0
    for project in registry.list_projects():
        pairs, owners = _declared(project.name)
        changed += _sync_project(project.name, pairs, owners, now=now)
    return changed


@transaction.atomic
def _sync_project(project: str, pairs: set[Pair], owners: dict[NodeRef, str], *, now: datetime) -> int:
    standing = {
        (edge.source.node_id, edge.target.node_id): edge
        for edge in Edge.objects.filter(
            target__project=project, declared=True, retired_at=None
        ).select_related("source", "target")
    }
    wanted = {(source.id, target.id): (source, target) for source, target in pairs}
    gone = [edge.pk for key, edge in standing.items() if key not in wanted]
    Edge.objects.filter(pk__in=gone).update(retired_at=now, declared=False)
    fresh = [wanted[key] for key in wanted if key not in standing]
    rows = ensure_nodes({node for pair in fresh for node in pair} | set(owners), at=now) if fresh else {}
    for source, target in fresh:
        Edge.objects.update_or_create(
            source=rows[source],
            target=rows[target],
            defaults={"declared": True, "retired_at": None, "last_seen": now},
            create_defaults={"declared": True, "first_seen": now, "last_seen": now},
        )
    _sync_nodes(project, owners, now=now)
    return len(gone) + len(fresh)


def _sync_nodes(project: str, owners: dict[NodeRef, str], *, now: datetime) -> None:
    names = {node.id: owner for node, owner in owners.items()}
    kinds = [Kind.VIEW.value, Kind.SERVICE.value, Kind.MODEL.value]
    for row in Node.objects.filter(project=project, kind__in=kinds):
        owner, retired_at = (
            names.get(row.node_id, ""),
            None if row.node_id in names else row.retired_at or now,
        )
        if (row.owner, row.retired_at) != (owner, retired_at):
            Node.objects.filter(pk=row.pk).update(owner=owner, retired_at=retired_at)


def _declared(project: str) -> tuple[set[Pair], dict[NodeRef, str]]:
    """Return the edges that the registry promises, and the owner of each of its nodes."""
    pairs: set[Pair] = set()
    owners: dict[NodeRef, str] = {}
    for record in registry.list_views(project):
        node = naming.view(project, record.name)
        owners[node] = record.view.owner or ""
        for lane, sources in _lanes(project, record.view):
            job = naming.lane_job(project, record.name, lane)
            pairs.add((job, node))
            pairs |= {(node, job) for node in map(_dataset_of, sources) if node is not None}
    for service in registry.list_services(project):
        node = NodeRef(Kind.SERVICE, project, service.name)
        owners[node] = service.service.owner or ""
        used = {naming.view(project, ref.view) for ref in service.service.features}
        pairs |= {(view, node) for view in used if view in owners}
        if service.service.model:
            model = NodeRef(Kind.MODEL, project, service.service.model)
            owners[model] = owners[node]
            pairs.add((node, model))
    return pairs, owners


def _lanes(project: str, view: FeatureView) -> Iterator[tuple[str, Iterable[Source]]]:
    if view.batch is not None:
        yield "batch", [registry.find_source(project, name) for name in view.batch.sources]
    if view.stream is not None:
        yield "stream", [registry.find_source(project, view.stream.source)]
    if view.direct is not None:
        named = view.direct.source
        yield "direct", [registry.find_source(project, named)] if named else []


def _dataset_of(source: Source) -> NodeRef | None:
    """Return the dataset that upstream jobs write for this source; None when nothing names one."""
    url = registry.connection_url(source.connection) if source.connection else None
    named = dataset_of(source, root=str(settings.FRESHLINE_SOURCE_ROOTS[0]), connection_url=url)
    return naming.dataset(named.namespace, named.name) if named else None
