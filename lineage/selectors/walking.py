"""Steps over live edges. A dataset of several names is one node here: its representative."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from lineage.domain.naming import NodeRef
from lineage.models import Edge, Node

CHUNK = 500  # keys in one query; SQLite allows some ten thousand


def find_node(node: NodeRef) -> Node | None:
    """Return the row that stands for ``node``, or None."""
    row = Node.objects.select_related("representative").filter(digest=node.digest).first()
    return row.representative or row if row else None


def upstream(keys: Sequence[int]) -> dict[int, list[int]]:
    """Return for each node those that feed it."""
    return _step(keys, near="target", far="source")


def downstream(keys: Sequence[int]) -> dict[int, list[int]]:
    """Return for each node those that it feeds."""
    return _step(keys, near="source", far="target")


def members_of(keys: Sequence[int]) -> dict[int, int]:
    """Return every row that one of the representatives ``keys`` stands for, with its representative."""
    found: dict[int, int] = {}
    for chunk in _chunks(keys):
        rows = Node.objects.filter(Q(pk__in=chunk) | Q(representative__in=chunk))
        found |= dict(rows.annotate(head=_head("")).values_list("pk", "head"))
    return found


def _step(keys: Sequence[int], *, near: str, far: str) -> dict[int, list[int]]:
    members = members_of(keys)
    found: dict[int, set[int]] = defaultdict(set)
    for chunk in _chunks(list(members)):
        edges = Edge.objects.filter(retired_at=None, **{f"{near}__in": chunk})
        for inside, outside in edges.annotate(head=_head(f"{far}__")).values_list(f"{near}_id", "head"):
            if members[inside] != outside:
                found[members[inside]].add(outside)
    return {key: sorted(others) for key, others in found.items()}


def _head(prefix: str) -> Coalesce:
    return Coalesce(F(f"{prefix}representative_id"), F(f"{prefix}id"))


def _chunks(keys: Sequence[int]) -> Iterable[Sequence[int]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


def inverted(edges: Mapping[int, Iterable[int]]) -> dict[int, list[int]]:
    """Return the same edges seen from the other end."""
    found: dict[int, list[int]] = defaultdict(list)
    for key, others in edges.items():
        for other in others:
            found[other].append(key)
    return dict(found)
