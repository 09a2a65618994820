"""Steps over live edges. A dataset of several names is one node here: its representative."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from lineage.domain.naming import NodeRef
from lineage.models import Edge, Node

CHUNK = 500  # keys in one query; SQLite allows some ten thousand
Steps = dict[int, list[int]]


def find_node(node: NodeRef) -> Node | None:
    """Return the row that stands for ``node``, or None."""
    row = Node.objects.select_related("representative").filter(digest=node.digest).first()
    return row.representative or row if row else None


class Walk:
    """One walk: what it has read once, it does not ask for again."""

    def __init__(self) -> None:
        self._rows: dict[int, Node] = {}
        self._projects: dict[int, str] = {}
        self._members: dict[int, list[int]] = {}
        self._up: Steps = {}
        self._down: Steps = {}

    def rows(self, keys: Iterable[int]) -> dict[int, Node]:
        """Return the rows of nodes."""
        wanted = list(keys)
        for chunk in _chunks([key for key in wanted if key not in self._rows]):
            self._rows |= Node.objects.in_bulk(chunk)
        return {key: self._rows[key] for key in wanted if key in self._rows}

    def projects(self, keys: Iterable[int]) -> dict[int, str]:
        """Return whose each node is, "" for everybody's; without the rows, of which a hub has thousands."""
        wanted = list(keys)
        for chunk in _chunks([key for key in wanted if key not in self._projects]):
            self._projects |= dict(Node.objects.filter(pk__in=chunk).values_list("pk", "project"))
        return {key: self._projects[key] for key in wanted if key in self._projects}

    def upstream(self, keys: Sequence[int]) -> Steps:
        """Return for each node those that feed it; nodes that nothing feeds are left out."""
        return self._step(self._up, keys, near="target", far="source")

    def downstream(self, keys: Sequence[int]) -> Steps:
        """Return for each node those that it feeds; nodes that feed nothing are left out."""
        return self._step(self._down, keys, near="source", far="target")

    def _step(self, known: Steps, keys: Sequence[int], *, near: str, far: str) -> Steps:
        fresh = [key for key in keys if key not in known]
        members = self._members_of(fresh)
        heads = {member: head for head in fresh for member in members[head]}
        found: dict[int, set[int]] = defaultdict(set)
        for chunk in _chunks(list(heads)):
            edges = Edge.objects.filter(retired_at=None, **{f"{near}__in": chunk})
            for inside, outside in edges.annotate(head=_head(f"{far}__")).values_list(f"{near}_id", "head"):
                if heads[inside] != outside:
                    found[heads[inside]].add(outside)
        known |= {key: sorted(found[key]) for key in fresh}
        return {key: known[key] for key in keys if known[key]}

    def _members_of(self, keys: Sequence[int]) -> Mapping[int, list[int]]:
        """Return for each representative the rows that it stands for, itself included."""
        for chunk in _chunks([key for key in keys if key not in self._members]):
            self._members |= {key: [] for key in chunk}
            rows = Node.objects.filter(Q(pk__in=chunk) | Q(representative__in=chunk))
            for member, head in rows.annotate(head=_head("")).values_list("pk", "head"):
                self._members.setdefault(head, []).append(member)
        return self._members


def inverted(edges: Mapping[int, Iterable[int]]) -> Steps:
    """Return the same edges seen from the other end."""
    found: dict[int, list[int]] = defaultdict(list)
    for key, others in edges.items():
        for other in others:
            found[other].append(key)
    return dict(found)


def _head(prefix: str) -> Coalesce:
    return Coalesce(F(f"{prefix}representative_id"), F(f"{prefix}id"))


def _chunks(keys: Sequence[int]) -> Iterable[Sequence[int]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))
