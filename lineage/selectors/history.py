"""How nodes did over time, as monitors told it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from lineage.domain.naming import NodeRef
from lineage.models import NodeState


@dataclass(frozen=True, slots=True)
class Spell:
    """A state from ``since`` to ``until``: then another followed, or nobody vouched for it any more."""

    state: str
    since: datetime
    until: datetime


def read_spells(nodes: Collection[NodeRef], *, start: datetime, end: datetime) -> list[Spell]:
    """Return the spells of all ``nodes`` that touch the time from ``start`` to ``end``, in one query."""
    rows = NodeState.objects.filter(Q(until=None) | Q(until__gt=start), since__lt=end)
    told = rows.filter(digest__in=[node.digest for node in nodes])
    spells = []
    for state, since, until, valid in told.values_list("state", "since", "until", "valid_until"):
        ends = [instant for instant in (until, valid, end) if instant is not None]
        if min(ends) > max(since, start):
            spells.append(Spell(state, max(since, start), min(ends)))
    return spells
