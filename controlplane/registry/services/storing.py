"""Write a project's definition into the tables: what is new, what changed, what retires."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from controlplane.accounts.services import audit
from controlplane.contracts.model import Definition, Document
from controlplane.contracts.model import Entity as EntityDefinition
from controlplane.contracts.model import FeatureService as ServiceDefinition
from controlplane.contracts.model import FeatureView as ViewDefinition
from controlplane.contracts.model import Source as SourceDefinition
from controlplane.kernel.errors import Conflict
from controlplane.kernel.names import DEFAULT_STORE
from controlplane.registry.domain import canonical, stored
from controlplane.registry.domain.contract_terms import contract_text, layout_columns
from controlplane.registry.domain.kinds import Defined
from controlplane.registry.models import (
    Contract,
    DefinedObject,
    Entity,
    FeatureService,
    FeatureUse,
    FeatureView,
    Layout,
    Project,
    Source,
)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who changes which project, when: the same for every row of one apply."""

    project: Project
    actor: str
    address: str
    now: datetime

    def store(self, before: Definition, after: Definition) -> None:
        """Make the tables say ``after``, where they say ``before``. Call it under the registry's lock."""
        self._store_plain(Entity, "entity", before.entities, after.entities)
        self._store_plain(Source, "source", before.sources, after.sources)
        rekeyed = _changed(before.entities, after.entities)
        join_keys = {entity.name: entity for entity in after.entities}
        changed = _changed(before.feature_views, after.feature_views)
        moves = before.store != after.store
        store = after.store or DEFAULT_STORE
        for view in after.feature_views:
            if moves or view.name in changed or rekeyed & set(view.entities):
                self._store_view(view, [join_keys[name] for name in view.entities], store=store, moves=moves)
        gone = _gone(before.feature_views, after.feature_views)
        self._retire(FeatureView, "feature_view", gone, store=before.store or DEFAULT_STORE)
        self._store_plain(FeatureService, "feature_service", before.feature_services, after.feature_services)

    def _store_plain(
        self, table: type[DefinedObject], kind: str, before: Iterable[Defined], after: Iterable[Defined]
    ) -> None:
        changed = _changed(before, after)
        for defined in after:
            if defined.name in changed:
                row = table._default_manager.filter(project=self.project, name=defined.name).first() or table(
                    project=self.project, name=defined.name
                )
                self._save(row, kind, defined)
        self._retire(table, kind, _gone(before, after))

    def _save(self, row: DefinedObject, kind: str, defined: Defined) -> None:
        is_new = row.pk is None or row.retired_at is not None
        self._tell("create" if is_new else "change", kind, row, defined.to_document())
        row.owner = defined.owner or ""
        row.document = canonical.dump(defined.to_document())
        row.digest = canonical.digest(row.document)
        row.created_at = self.now if is_new else row.created_at
        row.changed_at = self.now
        row.retired_at = None
        for column, value in _columns(defined).items():
            setattr(row, column, value)
        row.save()
        if isinstance(row, FeatureService) and isinstance(defined, ServiceDefinition):
            self._index_uses(row, defined)

    def _store_view(
        self, view: ViewDefinition, entities: list[EntityDefinition], *, store: str, moves: bool
    ) -> None:
        row = FeatureView.objects.filter(project=self.project, name=view.name).first() or FeatureView(
            project=self.project, name=view.name, contract_number=0, layout_number=0
        )
        if row.retired_at is not None and row.purge_due_at is not None:
            raise Conflict(
                "purge_pending",
                f"The rows of the retired feature view {view.name} are still being removed; try again later.",
            )
        returns = row.pk is None or row.retired_at is not None
        columns = layout_columns(view)
        # A view that returns, or moves to another store, starts a new layout even with the old columns: what
        # was remembered of rows under the old one (manifests of batch runs) must not make anybody believe
        # that they are still there.
        has_new_layout = returns or moves or columns != _columns_of(row)
        row.layout_number += has_new_layout
        promise = contract_text(view, stored.join_keys(entities))
        has_new_contract = returns or has_new_layout or promise != _promise_of(row)
        row.contract_number += has_new_contract
        row.paused = row.paused and not returns
        # What that store has kept of the view since it was last there, nobody followed.
        if row.pk is not None and (moves or (returns and row.purge_store != store)):
            row.purge_due_at, row.purge_store = self.now, store
        self._save(row, "feature_view", view)
        if has_new_layout:
            Layout.objects.create(view=row, number=row.layout_number, columns=columns)
        if has_new_contract:
            Contract.objects.create(
                view=row,
                number=row.contract_number,
                layout_number=row.layout_number,
                document=promise,
                digest=canonical.digest(promise),
                created_at=self.now,
                created_by=self.actor,
            )

    def _index_uses(self, row: FeatureService, service: ServiceDefinition) -> None:
        FeatureUse.objects.filter(service=row).delete()
        FeatureUse.objects.bulk_create(
            FeatureUse(service=row, project=self.project, view=ref.view, feature=ref.feature)
            for ref in service.features
        )

    def _retire(
        self, table: type[DefinedObject], kind: str, names: Iterable[str], *, store: str = ""
    ) -> None:
        for row in table._default_manager.filter(project=self.project, name__in=names, retired_at=None):
            self._tell("retire", kind, row, None)
            row.retired_at = row.changed_at = self.now
            if isinstance(row, FeatureView):
                row.purge_due_at, row.purge_store = self.now, store
            if isinstance(row, FeatureService):
                FeatureUse.objects.filter(service=row).delete()
            row.save()

    def _tell(self, action: str, kind: str, row: DefinedObject, after: Document | None) -> None:
        is_known = row.pk is not None and row.retired_at is None
        audit.record(
            actor=self.actor,
            project=self.project.name,
            action=action,
            object_kind=kind,
            object_name=row.name,
            before=dict(canonical.load(row.document)) if is_known else None,
            after=after,
            now=self.now,
            address=self.address,
        )


def _changed(before: Iterable[Defined], after: Iterable[Defined]) -> set[str]:
    """Return the names in ``after`` that are new or say something else than before.

    Texts are compared, not records: to Python 1, 1.0 and True are equal, and NaN is not.
    """
    said = {defined.name: canonical.dump(defined.to_document()) for defined in before}
    return {
        defined.name for defined in after if said.get(defined.name) != canonical.dump(defined.to_document())
    }


def _gone(before: Iterable[Defined], after: Iterable[Defined]) -> set[str]:
    return {defined.name for defined in before} - {defined.name for defined in after}


def _columns(defined: Defined) -> dict[str, str]:
    """Return what of a definition has a column of its own, to be searched by."""
    match defined:
        case SourceDefinition():
            return {"kind": defined.kind.value, "connection": defined.connection or ""}
        case ViewDefinition():
            return {"tier": defined.tier.value, "labels": _labels(defined)}
        case ServiceDefinition():
            return {"model": defined.model or ""}
        case _:
            return {}


def _labels(view: ViewDefinition) -> str:
    said = [
        *(f"entity:{name}" for name in view.entities),
        *(f"source:{name}" for name in view.sources),
        *(f"lane:{name}" for name in view.lanes),
        *(f"tag:{name}:{value}" for name, value in view.tags.items()),
    ]
    return "".join(f"\n{label}\n" for label in said)


def _columns_of(row: FeatureView) -> str:
    return Layout.objects.values_list("columns", flat=True).get(view=row, number=row.layout_number)


def _promise_of(row: FeatureView) -> str:
    return Contract.objects.values_list("document", flat=True).get(view=row, number=row.contract_number)
