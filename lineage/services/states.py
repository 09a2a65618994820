"""Health of nodes over time, as monitors see it."""

from datetime import datetime

from django.db import transaction

from lineage.domain import naming
from lineage.models import NodeState
from lineage.services.projection import digest_of


@transaction.atomic
def record_state(node_id: str, *, state: str, at: datetime, detail: str = "") -> bool:
    """Note that the node is in ``state`` since ``at``; returns whether that is a change.

    ``state`` is one of product.md's health words. The same state again only renews its detail; a state
    older than the present one is dropped.
    """
    node = naming.parse_id(node_id)
    digest = digest_of(node)
    present = NodeState.objects.select_for_update().filter(digest=digest, until=None).first()
    if present is not None:
        if present.state == state:
            NodeState.objects.filter(pk=present.pk).update(detail=detail[:200])
            return False
        if at < present.since:
            return False
        NodeState.objects.filter(pk=present.pk).update(until=at)
    NodeState.objects.create(node_id=node.id, digest=digest, state=state, detail=detail[:200], since=at)
    return True
