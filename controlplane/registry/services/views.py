"""What is set on a view outside its definition: pausing, and the end of its rows."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from controlplane.accounts.services import audit
from controlplane.kernel.errors import NotFound
from controlplane.registry.domain.records import PurgeDue
from controlplane.registry.models import FeatureView


@transaction.atomic
def set_paused(
    project: str, view: str, *, paused: bool, actor: str, now: datetime, address: str = ""
) -> None:
    """Pause or resume the watching of a live view. Pausing changes no contract and no bundle."""
    rows = FeatureView.objects.filter(project__name=project, name=view, retired_at=None)
    found = rows.first()
    if found is None:
        raise NotFound("not_found", f"There is no feature view {view!r} in project {project!r}.")
    if found.paused == paused:
        return
    rows.update(paused=paused)
    audit.record(
        actor=actor,
        project=project,
        action="pause" if paused else "resume",
        object_kind="feature_view",
        object_name=view,
        now=now,
        address=address,
    )


def put_off_purge(due: PurgeDue, *, until: datetime) -> PurgeDue | None:
    """Move what is due to ``until``, so that nobody else begins it meanwhile; None when somebody has."""
    return replace(due, due_at=until) if _due(due).update(purge_due_at=until) else None


def mark_purged(due: PurgeDue) -> bool:
    """Say that every row of a view has left the store: its name may come back, or its lanes write there.

    Returns False when something else is due since then: the view moved on or retired, or another took it up.
    """
    return bool(_due(due).update(purge_due_at=None))


def _due(due: PurgeDue) -> QuerySet[FeatureView]:
    return FeatureView.objects.filter(pk=due.view_id, purge_due_at=due.due_at, retired_at__isnull=due.is_live)
