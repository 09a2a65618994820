"""Health of nodes over time, as monitors see it."""

from datetime import datetime

from django.db import transaction

from lineage.domain import naming
from lineage.models import NodeState


@transaction.atomic
def record_state(
    node_id: str,
    *,
    state: str,
    at: datetime,
    detail: str = "",
    as_of: datetime | None = None,
    valid_until: datetime | None = None,
) -> bool:
    """Note that the node is in ``state`` since ``at``; returns whether that is a change.

    ``state`` is one of the words for health. The same state again only renews its detail and how long it
    may be believed: past ``valid_until`` readers see no_data, so that a dead watcher is never taken for
    good news. ``as_of``, until when the values were known to be right, is kept as it was when the state
    began: a cause is looked for from there. A state older than the present one is dropped.
    """
    node = naming.parse_id(node_id)
    digest = node.digest
    present = NodeState.objects.select_for_update().filter(digest=digest, until=None).first()
    if present is not None:
        if present.state == state:
            NodeState.objects.filter(pk=present.pk).update(detail=detail[:200], valid_until=valid_until)
            return False
        if at < present.since:
            return False
        NodeState.objects.filter(pk=present.pk).update(until=at)
    NodeState.objects.create(
        node_id=node.id,
        digest=digest,
        state=state,
        detail=detail[:200],
        since=at,
        as_of=as_of,
        valid_until=valid_until,
    )
    return True
