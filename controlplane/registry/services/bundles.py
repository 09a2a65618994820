"""Build what serving obeys, in the transaction of what changed it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from controlplane.accounts.selectors import LookupToken, lookup_tokens
from controlplane.contracts.bundle import (
    BundleProject,
    BundleToken,
    BundleView,
    CompiledBundle,
    compile_bundle,
)
from controlplane.contracts.model import FeatureService, JoinKey
from controlplane.kernel.dtypes import Dtype
from controlplane.registry import selectors
from controlplane.registry.domain import canonical, stored
from controlplane.registry.domain.records import BundleRecord, ViewRecord
from controlplane.registry.models import Bundle, Contract, FeatureUse, FeatureView, Layout, Registry

_BODIES_KEPT = 20


def lock_registry() -> Registry:
    """Take the installation's one lock; every change of definitions and bundles happens under it.

    Call it first thing in a transaction. (On SQLite the transaction itself is the lock.)
    """
    Registry.objects.get_or_create(pk=1)
    return Registry.objects.select_for_update().get(pk=1)


def build_bundle(registry: Registry, *, now: datetime) -> BundleRecord:
    """Return the bundle of what the tables say now: the newest one, or the next if anything differs.

    Call it under ``lock_registry``: that is what keeps the numbers without a gap.
    """
    tokens = lookup_tokens(now=now)
    projects = _projects()
    same = _compile(registry, number=registry.bundle_number, projects=projects, tokens=tokens)
    if registry.bundle_number and same.digest == registry.bundle_digest:
        registry.tokens_digest = _tokens_digest(tokens)
        registry.save(update_fields=["tokens_digest"])
        return BundleRecord(registry.bundle_number, same.digest, same.body)
    number = registry.bundle_number + 1
    built = _compile(registry, number=number, projects=projects, tokens=tokens)
    Bundle.objects.create(number=number, digest=built.digest, body=built.body, created_at=now)
    Bundle.objects.filter(number__lte=number - _BODIES_KEPT).exclude(body=b"").update(body=b"")
    registry.bundle_number = number
    registry.bundle_digest = built.digest
    registry.tokens_digest = _tokens_digest(tokens)
    registry.save()
    return BundleRecord(number, built.digest, built.body)


def refresh_bundle(*, now: datetime) -> int:
    """Build a new bundle if lookup tokens changed since the newest one; returns the newest number.

    Cheap when nothing changed. Called every few seconds, and by whoever asks for the bundle: making,
    revoking or outliving a token changes no definition.
    """
    known = Registry.objects.filter(bundle_number__gt=0).first()
    if known is not None and known.tokens_digest == _tokens_digest(lookup_tokens(now=now)):
        return known.bundle_number
    with transaction.atomic():
        return build_bundle(lock_registry(), now=now).number


def _compile(
    registry: Registry, *, number: int, projects: dict[str, BundleProject], tokens: Iterable[LookupToken]
) -> CompiledBundle:
    names = list(projects)
    return compile_bundle(
        registry=str(registry.uuid),
        number=number,
        default_project=names[0] if len(names) == 1 else None,
        projects=projects,
        tokens=[BundleToken(token.sha256, token.projects, token.expires_at) for token in tokens],
    )


def _projects() -> dict[str, BundleProject]:
    views: dict[str, list[BundleView]] = defaultdict(list)
    for record in selectors.list_views():
        views[record.project].append(_published(record))
    for project, emptied in _retired_but_named():
        views[project].append(emptied)
    services: dict[str, list[FeatureService]] = defaultdict(list)
    for reader in selectors.list_services():
        services[reader.project].append(reader.service)
    return {
        project.name: BundleProject(
            views=views[project.name], services=services[project.name], store=project.store
        )
        for project in selectors.list_projects()
    }


def _published(record: ViewRecord) -> BundleView:
    return BundleView(
        id=record.id,
        contract=record.contract_number,
        view=record.view,
        join_keys=record.join_keys,
        layout=record.layout.number,
        layouts={number: layout.columns for number, layout in record.layouts.items()},
    )


def _retired_but_named() -> Iterable[tuple[str, BundleView]]:
    """Yield views that were retired by force while services name them: without features, so that every value
    asked of them is missing because it is retired, and the rest of those services goes on."""
    live = set(FeatureView.objects.filter(retired_at=None).values_list("project_id", "name"))
    named = set(FeatureUse.objects.values_list("project_id", "view").distinct()) - live
    for project_id, name in sorted(named):
        row = FeatureView.objects.select_related("project").get(project_id=project_id, name=name)
        promise = canonical.load(Contract.objects.get(view=row, number=row.contract_number).document)
        layout = Layout.objects.get(view=row, number=row.layout_number)
        yield (
            row.project.name,
            BundleView(
                id=row.pk,
                contract=row.contract_number,
                view=replace(stored.view(row.document), features=()),
                join_keys=[JoinKey(key["name"], Dtype(key["dtype"])) for key in promise["join_keys"]],
                layout=row.layout_number,
                layouts={layout.number: stored.layout(layout.number, layout.columns).columns},
            ),
        )


def _tokens_digest(tokens: Iterable[LookupToken]) -> str:
    said = [[token.sha256, list(token.projects), str(token.expires_at)] for token in tokens]
    return canonical.digest(canonical.dump(said))
