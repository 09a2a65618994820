"""How definitions, plans and contracts look in JSON."""

from typing import Any

from controlplane.registry import selectors
from controlplane.registry.domain import stored
from controlplane.registry.domain.diffs import Difference
from controlplane.registry.domain.plans import Plan
from controlplane.registry.domain.records import ContractRecord, ServiceRecord, ViewRecord
from controlplane.registry.models import DefinedObject, Entity, FeatureService, FeatureView, Project, Source
from controlplane.registry.services.applying import Applied
from controlplane.rest.serialize import instant

Json = dict[str, Any]


def plan_changes(plan: Plan) -> list[Json]:
    """Return the lines of a plan."""
    return [
        {
            "kind": planned.change.kind,
            "name": planned.change.name,
            "action": planned.change.action.value,
            "level": planned.change.level.value,
            "reasons": list(planned.change.reasons),
            "consumers": list(planned.change.consumers),
            "recorded_lookups_affected": planned.recorded_lookups_affected,
        }
        for planned in plan.changes
    ]


def applied(done: Applied) -> Json:
    """Return what an apply answers."""
    return {
        "changes": plan_changes(done.plan),
        "bundle": {"number": done.bundle.number, "digest": done.bundle.digest},
    }


def project(row: Project) -> Json:
    """Return a project in a list."""
    return {
        "name": row.name,
        "store": row.store,
        "created_at": instant(row.created_at),
        "created_by": row.created_by,
        "changed_at": instant(row.changed_at),
    }


def _times(row: DefinedObject | ViewRecord | ServiceRecord) -> Json:
    return {"created_at": instant(row.created_at), "changed_at": instant(row.changed_at)}


def entity(row: Entity) -> Json:
    """Return an entity."""
    return {**stored.entity(row.document).to_document(), **_times(row)}


def source(row: Source) -> Json:
    """Return a source."""
    return {**stored.source(row.document).to_document(), **_times(row)}


def service(row: FeatureService) -> Json:
    """Return a feature service."""
    return {**stored.service(row.document).to_document(), **_times(row)}


def view_in_list(row: FeatureView) -> Json:
    """Return a view without its features' domains and lanes' details."""
    view = stored.view(row.document)
    return {
        "name": view.name,
        "entities": list(view.entities),
        "owner": view.owner,
        "description": view.description,
        "tier": view.tier.value,
        "tags": dict(view.tags),
        "features": [feature.name for feature in view.features],
        "lanes": list(view.lanes),
        **view.terms.to_document(),
        "enforcement": view.enforcement.value,
        "contract": row.contract_number,
        "layout": row.layout_number,
        "paused": row.paused,
        **_times(row),
    }


def view(record: ViewRecord) -> Json:
    """Return a view, whole."""
    columns = [{"name": column.name, "dtype": column.dtype.value} for column in record.layout.columns]
    return {
        **record.view.to_document(),
        "project": record.project,
        "contract": record.contract_number,
        "layout": {"number": record.layout.number, "columns": columns},
        "join_keys": [key.to_document() for key in record.join_keys],
        "lanes": list(record.view.lanes),
        "feature_services": [reader.name for reader in record.readers],
        "paused": record.paused,
        **_times(record),
    }


def one_service(record: ServiceRecord) -> Json:
    """Return a feature service, whole."""
    return {**record.service.to_document(), "project": record.project, **_times(record)}


def contract(record: ContractRecord) -> Json:
    """Return one version of a contract."""
    return {
        "number": record.number,
        "layout": record.layout_number,
        "digest": record.digest,
        "created_at": instant(record.created_at),
        "created_by": record.created_by,
        "contract": record.document,
    }


def difference(found: Difference) -> Json:
    """Return one line of a comparison of contracts."""
    return {"path": found.path, "before": found.before, "after": found.after}


def users_of(kind: str, project_name: str, name: str) -> list[str]:
    """Return the names of the live views that name the entity or the source."""
    label = f"\n{kind}:{name}\n"
    return list(
        selectors.view_rows(project_name).filter(labels__contains=label).values_list("name", flat=True)
    )
