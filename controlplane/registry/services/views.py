"""What is set on a view outside its definition: pausing, and the end of its rows."""

from datetime import datetime

from django.db import transaction

from controlplane.accounts.services import audit
from controlplane.kernel.errors import NotFound
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


def mark_purged(view_id: int) -> bool:
    """Say that every row of a retired view has left the store: its name may come back. Returns False when it
    was said before."""
    return bool(FeatureView.objects.filter(pk=view_id).exclude(purge_due_at=None).update(purge_due_at=None))
